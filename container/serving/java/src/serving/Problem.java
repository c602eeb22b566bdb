package serving;

import com.google.gson.JsonObject;

/** The errors that this front makes itself. The body has the shape of inference/errors.py; no text of the caller goes into it. */
enum Problem {
    BAD_HTTP(400, "bad_http", "This is not a well-formed HTTP/1.1 request, or its headers are longer than 8 KiB."),
    BAD_LOAD(400, "malformed_json", "Send a JSON object with the strings 'model_name' and 'url', the folder of the model."),
    BAD_QUERY(400, "bad_query", "What comes after the question mark of the address is not well-formed."),
    BAD_LIMIT(400, "invalid_limit", "'limit' must be a whole number from 1 on."),
    NO_TARGET(400, "no_target_model", "This endpoint has several models: use POST /models/NAME/invoke, or name one in X-Amzn-SageMaker-Target-Model."),
    ONE_MODEL(400, "no_multi_model_endpoint", "This endpoint has one model: leave X-Amzn-SageMaker-Target-Model out."),
    NOT_FOUND(404, "not_found", "There is nothing at this path. Use POST /invocations, GET /ping, /metrics or /execution-parameters."),
    NOT_LOADED(404, "model_not_loaded", "No model of this name is loaded. Load it with POST /models."),
    USE_GET(405, "method_not_allowed", "This path answers GET only."),
    USE_POST(405, "method_not_allowed", "This path answers POST only: send the request as the body."),
    USE_GET_OR_POST(405, "method_not_allowed", "This path answers GET (list the models) and POST (load one) only."),
    USE_GET_OR_DELETE(405, "method_not_allowed", "This path answers GET (describe the model) and DELETE (unload it) only."),
    TOO_SLOW(408, "request_timeout", "The request did not arrive in time. Send its headers and its body without pauses."),
    ALREADY_LOADED(409, "model_already_loaded", "A model of this name is loaded. Unload it first with DELETE /models/NAME."),
    TOO_LARGE(413, "payload_too_large", "The request body is larger than the limit. Send smaller requests, or raise SAGEMAKER_MAX_PAYLOAD_IN_MB."),
    BAD_EXPECTATION(417, "bad_expectation", "The only expectation that is met is 100-continue."),
    BAD_NAME(422, "invalid_model_name", "'model_name' must have 1 to 256 letters, digits, '.', '_' or '-', a letter or digit first."),
    NO_SUCH_FOLDER(422, "invalid_url", "'url' must be a folder below the folder of all models, /opt/ml/models by default."),
    BUSY(429, "too_many_requests", "Too many requests are waiting. Try again in a second."),
    WORKER_LOST(500, "internal_error", "The worker did not answer: it ran out of time or ended. The log of the server says more."),
    LOAD_FAILED(500, "internal_error", "The model could not be loaded. The log of the server says why."),
    NOT_READY(503, "not_ready", "The model is being loaded, or the server is stopping. Try again in a few seconds."),
    OUT_OF_MEMORY(507, "out_of_memory", "The server is out of memory. Send smaller or fewer requests.");

    final int status;
    final String code;
    final String sentence;

    Problem(int status, String code, String sentence) {
        this.status = status;
        this.code = code;
        this.sentence = sentence;
    }

    /** Returns the one JSON body that every error has. */
    static JsonObject json(String code, String sentence, String requestId) {
        JsonObject error = new JsonObject();
        error.addProperty("code", code);
        error.addProperty("message", sentence);
        error.addProperty("request_id", requestId);
        JsonObject body = new JsonObject();
        body.addProperty("status", "error");
        body.add("error", error);
        return body;
    }
}
