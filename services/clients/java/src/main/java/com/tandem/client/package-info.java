/**
 * Client for Tandem: deadlines, one retry policy, typed errors and a stream helper over the generated messages and services
 * of {@code com.tandem.v1}. Start at {@link com.tandem.client.TandemClient}.
 */
package com.tandem.client;
