/** A host or [IPv6] with a port from 1 to 65,535, or a Unix socket. */
export const ADDRESS =
  /^(unix:.+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))$/;

/** Like ADDRESS, but without sockets, and port 0 lets the system choose. */
export const LISTEN =
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/;
