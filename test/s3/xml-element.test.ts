import { expect, test } from 'vitest';
import {
  checkMembers,
  childOf,
  childrenOf,
  readRoot,
  requiredTextOf,
  textOf,
} from '../../server/s3/xml-element.ts';
import { told } from './aws-examples.ts';

const element = readRoot('<r><a>1</a><b>2</b><a>3</a><c><d/></c></r>', 'r');

test('children are found by their name', () => {
  expect(childrenOf(element, 'a').map(({ text }) => text)).toEqual(['1', '3']);
  expect(childrenOf(element, 'd')).toEqual([]);
  expect(childOf(element, 'c').children).toHaveLength(1);
  expect([textOf(element, 'b'), textOf(element, 'd'), requiredTextOf(element, 'b')]).toEqual([
    '2',
    undefined,
    '2',
  ]);
  checkMembers(element, ['a', 'b', 'c', 'd']);
});

test.each([
  ['another root', () => readRoot('<s/>', 'r')],
  ['a root with a prefix', () => readRoot('<n:r/>', 'r')],
  ['a repeated child', () => childOf(element, 'a')],
  ['a missing child', () => childOf(element, 'd')],
  ['a repeated text', () => textOf(element, 'a')],
  ['a repeated text that is required', () => requiredTextOf(element, 'a')],
  ['a missing text that is required', () => requiredTextOf(element, 'd')],
  ['another member', () => checkMembers(element, ['a', 'b'])],
])('%s is MalformedXML', (_, call) => {
  expect(told(call)[0]).toBe('MalformedXML');
});
