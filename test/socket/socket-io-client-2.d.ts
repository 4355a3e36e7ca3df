/** What the tests use of socket.io-client 2, which came without types. */
declare module 'socket.io-client-2' {
  interface Client {
    on(event: string, listener: (value: unknown) => void): Client;
    once(event: string, listener: (value: unknown) => void): Client;
    emit(event: string, ...args: unknown[]): Client;
    close(): Client;
  }
  export default function io(url: string, options?: Record<string, unknown>): Client;
}
