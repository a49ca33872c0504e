package com.tandem.client;

import java.util.HexFormat;

/** Digests are unsigned 64-bit numbers, which Java stores in a signed {@code long}. */
public final class Digests {
  private Digests() {}

  /** Returns a digest as Tandem prints it: 16 lower-case hexadecimal digits. */
  public static String hex(long digest) {
    return HexFormat.of().toHexDigits(digest);
  }
}
