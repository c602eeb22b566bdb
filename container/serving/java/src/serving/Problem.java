package serving;

import java.nio.charset.StandardCharsets;

/** The errors that this front makes itself. The body has the shape of inference/errors.py; no text of the caller goes into it. */
enum Problem {
    BAD_HTTP(400, "bad_http", "This is not a well-formed HTTP/1.1 request, or its headers are longer than 8 KiB."),
    NOT_FOUND(404, "not_found", "There is nothing at this path. Use POST /invocations, GET /ping or GET /execution-parameters."),
    USE_GET(405, "method_not_allowed", "This path answers GET only."),
    USE_POST(405, "method_not_allowed", "This path answers POST only: send the request as the body."),
    TOO_LARGE(413, "payload_too_large", "The request body is larger than the limit. Send smaller requests, or raise SAGEMAKER_MAX_PAYLOAD_IN_MB."),
    BUSY(429, "too_many_requests", "Too many requests are waiting. Try again in a second."),
    WORKER_LOST(500, "internal_error", "The worker did not answer: it ran out of time or ended. The log of the server says more."),
    NOT_READY(503, "not_ready", "The model is being loaded, or the server is stopping. Try again in a few seconds."),
    OUT_OF_MEMORY(507, "out_of_memory", "The server is out of memory. Send smaller or fewer requests.");

    final int status;
    private final String code;
    private final String sentence;

    Problem(int status, String code, String sentence) {
        this.status = status;
        this.code = code;
        this.sentence = sentence;
    }

    /** Returns the problem for a status that multi-model-server gave. */
    static Problem ofStatus(int status) {
        switch (status) {
            case 503:
                return NOT_READY;
            case 507:
                return OUT_OF_MEMORY;
            default:
                return WORKER_LOST;
        }
    }

    byte[] body(String requestId) {
        String text = "{\"status\": \"error\", \"error\": {\"code\": \"" + code + "\", \"message\": \"" + sentence + "\", \"request_id\": \""
                + requestId + "\"}}";
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
