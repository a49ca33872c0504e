package com.tandem.client;

/**
 * The answer to one request of a stream.
 *
 * @param requestId the request's id, or the one that the router made for it
 * @param outcome what came of the request
 */
public record StreamAnswer(String requestId, Outcome outcome) {}
