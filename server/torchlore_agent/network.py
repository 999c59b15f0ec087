"""Cutting a process off from the network, where the kernel lets its user do that."""

from __future__ import annotations

import contextlib
import os
import struct
import sys

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_LINUX_CAPABILITY_VERSION_3 = 0x20080522
_SIOCSIFFLAGS = 0x8914
_IFF_UP_AND_RUNNING = 0x1 | 0x40


def cut_off() -> bool:
    """Moves this process, and all that it will start, into a network with nothing but a loopback device.

    A namespace of its own for users comes with it, for without that only root may leave the network; the
    user stays who it is there, and what it could do in there as its root is given up. Only a process with
    one thread can do it.

    Returns:
        False where it cannot be had; then nothing has changed.
    """
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
            return False
    except (ImportError, OSError, AttributeError):
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    _raise_loopback()
    header = struct.pack("Ii", _LINUX_CAPABILITY_VERSION_3, 0)
    libc.capset(header, bytes(24))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return True


def _raise_loopback() -> None:
    """Processes of one machine that train together speak over it."""
    import fcntl
    import socket

    request = struct.pack("16sh14x", b"lo", _IFF_UP_AND_RUNNING)
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, _SIOCSIFFLAGS, request)
