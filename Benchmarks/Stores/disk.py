"""Files as a disk and its cache give them: what is dropped, and what plain reading takes."""
import concurrent.futures
import hashlib
import os
import time

BLOCK = 4 << 20
PAUSE = 0.3


def read_milliseconds(path, start, count):
    """Reads a part of a file from its beginning to its end, into one buffer, and says how long that took."""
    buffer, descriptor = bytearray(BLOCK), os.open(path, os.O_RDONLY)
    try:
        begin, place = time.perf_counter(), start
        while place < start + count:
            read = os.preadv(descriptor, [memoryview(buffer)[:min(BLOCK, start + count - place)]], place)
            if not read:
                raise SystemExit(f"{path} ends at byte {place}")
            place += read
        return (time.perf_counter() - begin) * 1e3
    finally:
        os.close(descriptor)


def hash_milliseconds(path, start, count):
    """Computes the SHA-256 of each block of a part of a file on all processors, and says how long that took."""
    pieces = [(place, min(BLOCK, start + count - place)) for place in range(start, start + count, BLOCK)]
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            begin = time.perf_counter()
            list(pool.map(lambda piece: hashlib.sha256(os.pread(descriptor, piece[1], piece[0])).digest(), pieces))
            return (time.perf_counter() - begin) * 1e3
    finally:
        os.close(descriptor)


def forget(path):
    """Has the system drop what it holds of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    # Disks that give more for a while than they can keep up are asked with equal pauses.
    time.sleep(PAUSE)


def forget_everything(path):
    """Has the system drop what it holds of all files, programs among them, where that is permitted, or else of one.

    Returns what was done, in words.
    """
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w") as switch:
            switch.write("3")
        time.sleep(PAUSE)
        return "the system's caches dropped, program and libraries among them"
    except OSError:
        forget(path)
        return "the store alone dropped from the system's cache (/proc/sys/vm/drop_caches may not be written)"
