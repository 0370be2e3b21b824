#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with: Corpus/PROPERTY/NAME, a few for each kind of thing that its subject knows."""

import gzip
import io
import json
import pathlib
import shutil
import struct
import zipfile

CORPUS = pathlib.Path(__file__).parent / "Corpus"


def write(name, seeds):
    folder = CORPUS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for seed, content in seeds.items():
        (folder / seed).write_bytes(content if isinstance(content, bytes) else content.encode())


def request(line, *fields, host="h", body=""):
    lines = [line, *([f"Host: {host}"] if host else []), *fields]
    return "".join(l + "\r\n" for l in lines) + "\r\n" + body


CHUNKED = "5;x=y\r\nhello\r\n00b \t; z\r\n, wide world\r\n0\r\nT: u\r\n\r\n"
write("request", {
    "get": request("GET /a%20b/c?d=e&f HTTP/1.1", "Accept: */*", "Connection: keep-alive"),
    "old": request("GET / HTTP/1.0", "Connection: Keep-Alive", host=None),
    "absolute": request("GET http://o:80/a?b HTTP/1.2", "Expect: 100-continue", "Connection: close, x"),
    "server": "\r\n" + request("OPTIONS * HTTP/1.1") + request("CONNECT h:1 HTTP/1.1", host="[::1]:8080"),
    "length": request("POST /p HTTP/1.1", "Content-Length: 5", body="hello") + request("HEAD /n HTTP/1.1"),
    "chunked": request("PUT /p HTTP/1.1", "Transfer-Encoding: Chunked", body=CHUNKED) + request("DELETE /n HTTP/1.1"),
    "text": request("PATCH //x/ HTTP/1.1", "Content-Type:text/plain ", "X:", "X: \xe9\t\xff"),
    "fields": request("GET / HTTP/1.1", "A: 1", "B:2", "C:\t3 ") + "\r\n" + request("GET / HTTP/1.1", "A: 1", "B: 2"),
    "both": request("POST / HTTP/1.1", "Content-Length: 3", "Transfer-Encoding: gzip, chunked", body="0\r\n\r\n"),
})
write("chunks", {
    "two": CHUNKED,
    "empty": "0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "large": "1F;\"a;b\"\r\n" + "x" * 31 + "\r\n1a\r\n" + "y" * 26 + "\r\n0\r\n\r\n",
    "trailers": "000\r\nA: b\r\nC:\t d \r\nE:\r\n\r\n",
    "overflow": "FFFFFFFFFFFFFFFF\r\nx",
})
write("percent", {
    "plain": "a/b/c.json",
    "encoded": "a%20b/%C3%A9%2f+/",
    "query": "a=b&c=%3d&=&d+e=f+g%2B&h==",
    "dots": "%2e%2E/../.",
    "broken": "%zz%00%c0%af%",
    "raw": b"\xc3\xa9 \x01\xf0\x9f\x98\x80",
})
write("json", {
    "all": '{"a": [null, true, false, {}], "b": "\\u00e9\\ud83d\\ude00\\n\\/", "c": -1.5e-3, "": [[], [[1, "x"]]]}',
    "numbers": "[0, -0, 0.1, 1e22, 123456789012345678, 9007199254740993.0, 2.2250738585072014e-308, 1.7976931348623157e308]",
    "integers": "[9223372036854775807, -9223372036854775808, 18446744073709551616, 9007199254740993]",
    "half": "9007199254740993.000000000000000000000000000000001",
    "escapes": '"\\b\\f\\n\\r\\t\\"\\\\\\/\\u0000\\u001f\\u007f\\u2028"',
    # All but halfway between two numbers.
    "ties": "[1295086090059912446e3, 8202657957342616644e12, 8366452174527117427e27, 7704002330370333195e-9,"
    " 3086238790552200829e-27]",
    "deep": "[" * 20 + "1" + "]" * 20,
    "twice": '{"a": 1, "a": 2}',
    "many": json.dumps({f"k{i}": i / 3 for i in range(12)}),
    "text": '"\u00e9\u0301\u2028\U0001f600 \\ud800"',
})
write("query", {
    "example": '{"model": "m", "tests": [{"dataset": "d", "index": 3}], "k": 5, "id": "q", "checkpoint": "c"}',
    "inputs": '{"model": "m", "tests": [{"input": [[1, 2.5], [3, 4]], "target": 1}, {"gradient": [1, 0.5]}],'
    ' "aggregate": "mean", "include": ["inputs", "metadata", "all_scores", "s_test"]}',
    "base64": '{"model": "m", "tests": [{"input": {"dtype": "float32", "shape": [1, 2], "base64": "AACAPwAAAEA="}}]}',
    "lissa": '{"model": "m", "tests": [{"dataset": "d", "index": 0}], "damping": 0.01, "damping_mode": "relative",'
    ' "solver": {"name": "lissa", "recursion_depth": 100, "num_repeat": "auto", "batch_size": 1, "scale": 2.5, "seed": 7}}',
    "exact": '{"model": "m", "tests": [{"dataset": "d", "index": 0}], "solver": {"name": "exact"}, "method": "influence",'
    ' "curvature": "gauss_newton", "candidates": {"nearest_neighbors": 10}, "deadline_ms": 1000}',
    "groups": '{"model": "m", "tests": [{"dataset": "d", "index": 0}], "candidates": {"indices": [1, 2]},'
    ' "groups": [{"name": "g", "indices": [0, 1]}, {"name": "h", "indices": [5]}]}',
    "compare": '{"model": "m", "tests": [{"dataset": "d", "index": 0, "target": 1, "versus": -1}], "measurement": "margin",'
    ' "compare": ["influence", "relatif", "tracin_cp", "trak"], "relatif_method": "l", "denominators": {"name": "ekfac"},'
    ' "checkpoints": ["a", "b"], "contributions": true, "models": ["n"], "until": {"relative_error": 0.1}}',
    "filters": '{"model": "m", "tests": [{"dataset": "d", "index": 0}], "method": "nearest_neighbor", "metric": "cosine",'
    ' "layer": "hidden", "candidates": {"where": {"a.b": {"min": 1, "max": 2.5, "not": [null, true]}, "c": "x"}, "target": [1, 2]},'
    ' "groups": [{"name": "g", "id": {"min": "a", "exists": true}}]}',
    "parameters": '{"model": "m", "examples": [3, 1], "groups": [{"name": "g", "target": 2}], "include": ["influence"],'
    ' "damping": 0.1, "solver": {"name": "exact"}}',
    "slices": '{"model": "m", "training_slices": [{"name": "a", "indices": [0]}, {"name": "b", "where": {"s": "t"}}],'
    ' "test_slices": {"dataset": "d", "slices": [{"name": "c", "id": ["x"]}]}, "correlations": false, "method": "gradient_dot"}',
    "self": '{"model": "m", "method": "representer_point", "l2": 0.01, "k": 3, "include": ["inputs"]}',
    "wrong": '{"model": 1, "tests": [{"datasett": "d", "index": -1}, [], {"input": [[1], [2, 3]]}], "k": "x", "a/~b": 0}',
})

CODES = {"BOOL": 1, "U8": 1, "I16": 2, "F16": 2, "BF16": 2, "F32": 4, "F64": 8, "I64": 8}


def safetensors(entries, data, pad=0):
    header = json.dumps(entries, ensure_ascii=False).encode() + b" " * pad
    return struct.pack("<Q", len(header)) + header + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


write("safetensors", {
    "empty": safetensors({}, b""),
    "one": safetensors({"w": entry("F32", [2, 2], 0, 16)}, struct.pack("<4f", 1, -2, 0.5, 3e38), pad=3),
    "several": safetensors(
        {"__metadata__": {"step": "10", "é": "\""}, "b": entry("U8", [3], 8, 11), "a": entry("I64", [], 0, 8),
         "z": entry("F64", [0, 4], 11, 11)}, struct.pack("<q", -5) + b"\0\1\2"),
    **{code: safetensors({code: entry(code, [1], 0, size)}, bytes(range(size))) for code, size in CODES.items()},
    "rest": safetensors({"a": entry("U8", [2], 0, 2)}, b"abc"),
    "zero": safetensors({"z": entry("F32", [0, 2**62], 0, 0)}, b""),
    "overlap": safetensors({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"abc"),
})


def npy(descr, shape, data, fortran=False, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    width = 2 if version == 1 else 4
    header += " " * ((-(6 + 2 + width + len(header) + 1)) % 16) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if width == 2 else "<I", len(header)) + header.encode() + data


MATRIX = npy("<f4", "(2, 3)", struct.pack("<6f", *range(6)))
write("npy", {
    "matrix": MATRIX,
    "scalar": npy("<f8", "()", struct.pack("<d", 2.5)),
    "fortran": npy(">i2", "(2, 3, 2)", struct.pack(">12h", *range(12)), fortran=True),
    "booleans": npy("|b1", "(2,)", b"\0\1", version=2),
    "half": npy("<f2", "(3,)", struct.pack("<3e", 1.5, -2, 65504), version=3),
    "long": npy("<u8", "(2,)", struct.pack("<2Q", 2**64 - 1, 2**53 + 1)),
    "empty": npy("|i1", "(0, 7)", b""),
    "objects": npy("|O", "(1,)", b"\x80\x04N."),
})


def archive(members, compression=zipfile.ZIP_STORED, comment=b""):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.comment = comment
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            file.writestr(info, content)
    return buffer.getvalue()


def zip64(content):
    """An archive as numpy.savez writes it for a file that it cannot seek in: sizes in extra fields."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, file.open(zipfile.ZipInfo("x.npy"), "w", force_zip64=True) as member:
        member.write(content)
    return buffer.getvalue()


SMALL = npy("|u1", "(3,)", b"\1\2\3")
write("npz", {
    "stored": archive([("x.npy", SMALL)]),
    "deflated": archive([("x.npy", MATRIX), ("y.npy", SMALL)], zipfile.ZIP_DEFLATED),
    "comment": archive([("a", SMALL)], comment=b"a comment"),
    "zip64": zip64(SMALL),
    "nothing": archive([]),
    "bomb": archive([("x.npy", npy("|u1", "(2000000,)", bytes(2_000_000)))], zipfile.ZIP_DEFLATED),
    "text": archive([("readme.txt", b"no array")]),
})
write("csv", {
    "numbers": "1,2,3\n4.5,-6e2,+.5\r\n",
    "names": "a,b c, \"d, \"\"e\"\"\"\r\n0.1,16777217,1e-45\n\" 3 \",4,340282350000000000000000000000000000000\n",
    "mark": b"\xef\xbb\xbfx\n1\n2",
    "digits": "0.100000001490116119384765625,123456789,00000000012,.00000001\n",
    "words": "1,nan\n2,inf\n",
    "ragged": "1,2\n3\n",
    "open": "a,\"b\n1,2\n",
})


def idx(code, extents, data):
    return bytes([0, 0, code, len(extents)]) + struct.pack(f">{len(extents)}I", *extents) + data


IMAGES = idx(8, [2, 2, 2], bytes(range(8)))
write("idx", {
    "images": IMAGES,
    "signed": idx(9, [2], b"\xff\1"),
    "short": idx(11, [2], struct.pack(">2h", -2, 300)),
    "int": idx(12, [1, 1], struct.pack(">i", -70000)),
    "float": idx(13, [2], struct.pack(">2f", 0.5, float("inf"))),
    "double": idx(14, [1], struct.pack(">d", 1e300)),
    "empty": idx(8, [0, 4294967295, 4294967295], b""),
})
write("flat", {
    "floats": struct.pack("<6f", 1, -2, 0.5, 3e38, 1e-45, float("nan")),
    "halves": struct.pack("<12e", *range(12)),
    "wide": struct.pack("<4d", 0.1, 1e300, float("-inf"), 0),
    "odd": bytes(range(7)),
    "many": bytes(720),
    "empty": b"",
    "numpy": MATRIX,
})
write("gzip", {
    "idx": gzip.compress(IMAGES, mtime=0),
    "csv": gzip.compress(b"a,b\n1,2\n", mtime=0),
    "members": gzip.compress(b"1,2\n", mtime=0) + gzip.compress(b"3,4\n", mtime=0),
    "bomb": gzip.compress(bytes(2_000_000), mtime=0),
    "twice": gzip.compress(gzip.compress(IMAGES, mtime=0), mtime=0),
    "archive": gzip.compress(archive([("x.npy", SMALL)]), mtime=0),
})
