package serving;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What InvokeEndpoint says about a request in headers. None of it reaches a log or an answer unchecked. */
final class Caller {
    static final String ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes";
    static final String INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id";
    static final String TARGET_MODEL = "X-Amzn-SageMaker-Target-Model";
    // The limits of the platform's own API.
    private static final int LONGEST_ATTRIBUTES = 1024;
    private static final int LONGEST_INFERENCE_ID = 64;
    private static final int LONGEST_LOGGED_TARGET = 200;

    /** The caller's own id of the request; null where there is none, or none that a log line can hold. */
    final String inferenceId;
    /** The model that is asked on a multi-model endpoint, or null. */
    final String target;
    private final String attributes;

    Caller(HttpHeaders headers) {
        String id = headers.get(INFERENCE_ID);
        inferenceId = isAscii(id, '!', LONGEST_INFERENCE_ID) ? id : null;
        String sent = headers.get(ATTRIBUTES);
        attributes = isAscii(sent, ' ', LONGEST_ATTRIBUTES) ? sent : null;
        target = headers.get(TARGET_MODEL);
    }

    /** Returns the attributes of the answer: the model's version, then what the caller sent, where both fit. */
    String answer(String version) {
        String ours = "model-version=" + (isAscii(version, '!', LONGEST_INFERENCE_ID) ? version : "unknown");
        boolean both = attributes != null && ours.length() + 1 + attributes.length() <= LONGEST_ATTRIBUTES;
        return both ? ours + ";" + attributes : ours;
    }

    /** Returns what belongs into the log line. The target is a key of S3, hence its odd characters are replaced. */
    Map<String, String> logged() {
        if (inferenceId == null && target == null) {
            return Collections.emptyMap();
        }
        Map<String, String> out = new LinkedHashMap<>();
        if (inferenceId != null) {
            out.put("inference_id", inferenceId);
        }
        if (target != null) {
            String start = target.substring(0, Math.min(target.length(), LONGEST_LOGGED_TARGET));
            out.put("target", start.replaceAll("[^!-~]", "?"));
        }
        return out;
    }

    private static boolean isAscii(String text, char lowest, int longest) {
        return text != null && !text.isEmpty() && text.length() <= longest && text.chars().allMatch(c -> lowest <= c && c <= '~');
    }
}
