package com.tandem.client;

/**
 * The answer to one request of a stream.
 *
 * @param requestId the request's id, or the id that the router gave it
 * @param outcome the result of the request
 */
public record StreamAnswer(String requestId, Outcome outcome) {}
