"""Whose a file is on Windows, where modes say nothing."""

import sys  # pragma: no cover - only Windows loads this file
from pathlib import Path  # pragma: no cover - the same

if sys.platform == "win32":  # pragma: no cover - only Windows runs it
    import ctypes
    from ctypes import wintypes

    _ADVAPI, _KERNEL = ctypes.WinDLL("advapi32"), ctypes.WinDLL("kernel32")
    _KERNEL.GetCurrentProcess.restype = wintypes.HANDLE
    # learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-getnamedsecurityinfow
    _FILE_OBJECT, _OWNER = 1, 1
    # learn.microsoft.com/windows/win32/secauthz/well-known-sids: the system, administrators
    _ROOT = ("S-1-5-18", "S-1-5-32-544")
    _TOKEN_QUERY, _TOKEN_USER = 8, 1

    def owned(path: Path) -> bool:
        """Whether a file belongs to this user, the system or the administrators."""
        return _owner(path) in (*_ROOT, _user())

    def _owner(path: Path) -> str:
        sid, descriptor = ctypes.c_void_p(), ctypes.c_void_p()
        failed = _ADVAPI.GetNamedSecurityInfoW(
            ctypes.c_wchar_p(str(path)), _FILE_OBJECT, _OWNER,
            ctypes.byref(sid), None, None, None, ctypes.byref(descriptor),
        )  # fmt: skip
        if failed:
            raise ctypes.WinError(failed)
        try:
            return _text(sid)
        finally:
            _KERNEL.LocalFree(descriptor)

    def _user() -> str:
        token, size = wintypes.HANDLE(), wintypes.DWORD()
        process = wintypes.HANDLE(_KERNEL.GetCurrentProcess())
        if not _ADVAPI.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)):
            raise ctypes.WinError()
        try:
            _ADVAPI.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
            room = ctypes.create_string_buffer(size.value)
            if not _ADVAPI.GetTokenInformation(token, _TOKEN_USER, room, size, ctypes.byref(size)):
                raise ctypes.WinError()
            # TOKEN_USER begins with a pointer to the user's SID.
            return _text(ctypes.cast(room, ctypes.POINTER(ctypes.c_void_p))[0])
        finally:
            _KERNEL.CloseHandle(token)

    def _text(sid: ctypes.c_void_p | int | None) -> str:
        text = wintypes.LPWSTR()
        if not _ADVAPI.ConvertSidToStringSidW(
            ctypes.c_void_p(sid.value if isinstance(sid, ctypes.c_void_p) else sid),
            ctypes.byref(text),
        ):
            raise ctypes.WinError()
        try:
            return text.value or ""
        finally:
            _KERNEL.LocalFree(text)
