"""Whose a file is on Windows, where modes say nothing."""

import sys
from pathlib import Path

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    # learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-getnamedsecurityinfow
    _FILE_OBJECT, _OWNER = 1, 1
    # learn.microsoft.com/windows/win32/secauthz/well-known-sids: the system, administrators
    _ROOT = ("S-1-5-18", "S-1-5-32-544")
    _TOKEN_QUERY, _TOKEN_USER = 8, 1

    def owned(path: Path) -> bool:
        """Whether a file belongs to this user, the system or the administrators."""
        return _owner(path) in (*_ROOT, _user())

    def _owner(path: Path) -> str:
        advapi, kernel = ctypes.WinDLL("advapi32"), ctypes.WinDLL("kernel32")
        sid, descriptor = ctypes.c_void_p(), ctypes.c_void_p()
        failed = advapi.GetNamedSecurityInfoW(
            ctypes.c_wchar_p(str(path)), _FILE_OBJECT, _OWNER,
            ctypes.byref(sid), None, None, None, ctypes.byref(descriptor),
        )  # fmt: skip
        if failed:
            raise ctypes.WinError(failed)
        try:
            return _text(sid)
        finally:
            kernel.LocalFree(descriptor)

    def _user() -> str:
        advapi, kernel = ctypes.WinDLL("advapi32"), ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        token, size = wintypes.HANDLE(), wintypes.DWORD()
        process = wintypes.HANDLE(kernel.GetCurrentProcess())
        if not advapi.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)):
            raise ctypes.WinError()
        try:
            advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
            room = ctypes.create_string_buffer(size.value)
            if not advapi.GetTokenInformation(token, _TOKEN_USER, room, size, ctypes.byref(size)):
                raise ctypes.WinError()
            # TOKEN_USER begins with a pointer to the user's SID.
            return _text(ctypes.cast(room, ctypes.POINTER(ctypes.c_void_p))[0])
        finally:
            kernel.CloseHandle(token)

    def _text(sid: ctypes.c_void_p | int | None) -> str:
        advapi, kernel = ctypes.WinDLL("advapi32"), ctypes.WinDLL("kernel32")
        text = wintypes.LPWSTR()
        if not advapi.ConvertSidToStringSidW(
            ctypes.c_void_p(sid.value if isinstance(sid, ctypes.c_void_p) else sid),
            ctypes.byref(text),
        ):
            raise ctypes.WinError()
        try:
            return text.value or ""
        finally:
            kernel.LocalFree(text)
