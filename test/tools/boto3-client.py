"""What boto3.test.ts runs: `boto3-client.py SECTION ENDPOINT CA_FILE`, in a folder of its own."""

import hashlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

section, endpoint, certificate = sys.argv[1:]


def connect(signature="s3v4", **options):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        verify=certificate,
        config=Config(signature_version=signature, s3={"addressing_style": "path"}),
        **options,
    )


def fails_with(status, code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answered = error.response
        assert answered["ResponseMetadata"]["HTTPStatusCode"] == status, answered
        assert answered["Error"]["Code"] == code, answered
        return
    raise AssertionError(f"{code} was expected")


def fetch(url, method="GET", data=None, headers={}):
    request = urllib.request.Request(url, method=method, data=data, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


KEYS = ["plain", "a b", "a+b", "a%2Fb", "ü/e\u0301/é", "&<>\"'", "\U0001f600", "a?b#c", "tab\t", "//x//"]


def objects():
    for signature in ["s3v4", "s3"]:
        client = connect(signature)
        bucket = f"objects-{signature}"
        client.create_bucket(Bucket=bucket)
        for key in KEYS:
            body = key.encode()
            stored = client.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType="text/x-key", Metadata={"day": "monday"}
            )
            assert stored["ETag"] == f'"{hashlib.md5(body).hexdigest()}"', stored
            read = client.get_object(Bucket=bucket, Key=key)
            assert read["Body"].read() == body
            assert read["ContentType"] == "text/x-key"
            assert read["Metadata"] == {"day": "monday"}
        part = client.get_object(Bucket=bucket, Key="plain", Range="bytes=1-2")
        assert part["Body"].read() == b"la"
        assert part["ContentRange"] == "bytes 1-2/5"

        # With version 2, botocore signs the parameters that its own addresses have wrongly (`?list-type=2`,
        # `?delete?delete`): https://github.com/boto/boto3/issues/4433
        call = "list_objects_v2" if signature == "s3v4" else "list_objects"
        pages = client.get_paginator(call).paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 3}
        )
        listed = [each["Key"] for page in pages for each in page["Contents"]]
        assert listed == sorted(KEYS, key=lambda key: key.encode()), listed

        source = {"Bucket": bucket, "Key": "a%2Fb"}
        client.copy_object(Bucket=bucket, Key="copy of+it", CopySource=source)
        client.copy_object(
            Bucket=bucket,
            Key="copy of+it",
            CopySource={"Bucket": bucket, "Key": "copy of+it"},
            Metadata={"day": "friday"},
            MetadataDirective="REPLACE",
        )
        assert client.head_object(Bucket=bucket, Key="copy of+it")["Metadata"] == {"day": "friday"}

        gone = [*KEYS, "copy of+it", "never there"]
        if signature == "s3v4":
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in gone]})
            assert len(answer["Deleted"]) == len(gone) and "Errors" not in answer, answer
        else:
            for key in gone:
                client.delete_object(Bucket=bucket, Key=key)
        assert "Contents" not in client.list_objects(Bucket=bucket)
        client.delete_bucket(Bucket=bucket)


def parts():
    client = connect()
    client.create_bucket(Bucket="parts")
    config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=4)
    # large.bin has 200 MiB, of boto3.test.ts.
    client.upload_file("large.bin", "parts", "large", Config=config)
    head = client.head_object(Bucket="parts", Key="large")
    assert head["ContentLength"] == 200 << 20 and head["ETag"].endswith('-25"'), head
    client.copy({"Bucket": "parts", "Key": "large"}, "parts", "copy", Config=config)
    client.download_file("parts", "copy", "large.back", Config=config)
    with open("large.bin", "rb") as sent, open("large.back", "rb") as back:
        while chunk := sent.read(1 << 20):
            assert chunk == back.read(1 << 20)
        assert back.read() == b""


def presigned():
    for signature in ["s3v4", "s3"]:
        client = connect(signature)
        bucket = f"presigned-{signature}"
        client.create_bucket(Bucket=bucket)
        for key in KEYS:
            target = {"Bucket": bucket, "Key": key}
            put = client.generate_presigned_url("put_object", Params=target, ExpiresIn=60)
            # urllib would name a type that version 2 would have signed.
            status, body = fetch(put, "PUT", b"sent " + key.encode(), {"content-type": ""})
            assert status == 200, (key, status, body)
            get = client.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
            assert fetch(get) == (200, b"sent " + key.encode())
            assert fetch(get + "x")[0] == 403
        form = client.generate_presigned_post(bucket, "form/${filename}", ExpiresIn=60)
        boundary = "boto3-boundary"
        fields = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in form["fields"].items()
        )
        file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nsent\r\n--{boundary}--\r\n'
        status, body = fetch(
            form["url"],
            "POST",
            (fields + file).encode(),
            {"content-type": f"multipart/form-data; boundary={boundary}"},
        )
        assert status == 204, (status, body)
        assert client.get_object(Bucket=bucket, Key="form/a.txt")["Body"].read() == b"sent"
        expired = client.generate_presigned_url("get_object", Params=target, ExpiresIn=1)
        deadline = time.monotonic() + 10
        while fetch(expired)[0] == 200 and time.monotonic() < deadline:
            pass
        assert b"Request has expired" in fetch(expired)[1]


def errors():
    client = connect()
    client.create_bucket(Bucket="errors")
    client.put_object(Bucket="errors", Key="there", Body=b"there")
    fails_with(404, "NoSuchBucket", client.list_objects_v2, Bucket="never-made")
    fails_with(404, "NoSuchKey", client.get_object, Bucket="errors", Key="absent")
    # Without a body to say it in, the status has to do.
    fails_with(404, "404", client.head_object, Bucket="errors", Key="absent")
    fails_with(404, "404", client.head_bucket, Bucket="never-made")
    fails_with(409, "BucketAlreadyOwnedByYou", client.create_bucket, Bucket="errors")
    fails_with(409, "BucketNotEmpty", client.delete_bucket, Bucket="errors")
    fails_with(412, "PreconditionFailed", client.get_object, Bucket="errors", Key="there", IfMatch='"0"')
    fails_with(416, "InvalidRange", client.get_object, Bucket="errors", Key="there", Range="bytes=9-")
    fails_with(404, "NoSuchUpload", client.list_parts, Bucket="errors", Key="there", UploadId="absent")
    fails_with(404, "NoSuchCORSConfiguration", client.get_bucket_cors, Bucket="errors")
    fails_with(
        400, "BadDigest", client.put_object, Bucket="errors", Key="x", Body=b"x", ContentMD5="CY9rzUYh03PK3k6DJie09g=="
    )
    wrong = connect(aws_secret_access_key="wrong", aws_access_key_id="AKIDEXAMPLE00TOOLS")
    fails_with(403, "SignatureDoesNotMatch", wrong.list_buckets)
    unknown = connect(aws_secret_access_key="wrong", aws_access_key_id="AKIDUNKNOWN")
    fails_with(403, "InvalidAccessKeyId", unknown.list_buckets)


def version():
    print("boto3", boto3.__version__)


{"version": version, "objects": objects, "parts": parts, "presigned": presigned, "errors": errors}[section]()
