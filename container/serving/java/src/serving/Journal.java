package serving;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.time.Instant;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts each answer, and writes its line into the log: JSON, or text where a person is watching. */
final class Journal {
    private static final Logger TEXT = LoggerFactory.getLogger("serving");
    private static final Logger JSON = LoggerFactory.getLogger("serving.request");

    final Metrics metrics;
    private final boolean json;

    Journal(Metrics metrics, boolean json) {
        this.metrics = metrics;
        this.json = json;
    }

    /** To be called once for each request. Pings and scrapes are counted only. */
    void answered(Exchange exchange, int status, int bytesOut) {
        metrics.answered(exchange.route, status);
        boolean error = exchange.lost != null; // what is lost is told at every level
        if (exchange.isSilent() || !(error ? TEXT.isErrorEnabled() : TEXT.isInfoEnabled())) {
            return;
        }
        String fields = fields(exchange, status, bytesOut);
        if (!json) {
            String text = "request" + text(fields);
            if (error) {
                TEXT.error(text);
            } else {
                TEXT.info(text);
            }
            return;
        }
        String line = "{\"time\":\"" + Instant.ofEpochMilli(System.currentTimeMillis()) + "\",\"level\":\"" + (error ? "ERROR" : "INFO")
                + "\"," + fields + "}";
        if (error) {
            JSON.error(line);
        } else {
            JSON.info(line);
        }
    }

    /** Returns the inside of the braces of a JSON object: what is known of any request, of one that a worker had, and of who asked. */
    private static String fields(Exchange exchange, int status, int bytesOut) {
        StringBuilder out = new StringBuilder(512);
        out.append("\"id\":\"").append(exchange.id).append("\",\"route\":\"").append(exchange.route).append("\",\"status\":").append(status);
        milliseconds(out.append(",\"ms\":"), exchange.nanoseconds());
        if (exchange.waited >= 0) {
            milliseconds(out.append(",\"queue_ms\":"), exchange.waited);
        }
        if (exchange.account != null) {
            out.append(',').append(exchange.account);
        } else if (exchange.error != null) {
            out.append(",\"error\":\"").append(exchange.error).append('"');
        }
        if (exchange.lost != null) {
            out.append(",\"lost\":").append(new JsonPrimitive(exchange.lost));
        }
        if (exchange.bytesIn >= 0) {
            out.append(",\"bytes_in\":").append(exchange.bytesIn);
        }
        out.append(",\"bytes_out\":").append(bytesOut);
        if (exchange.modelVersion != null) {
            out.append(",\"model_version\":").append(new JsonPrimitive(exchange.modelVersion));
        }
        for (Map.Entry<String, String> entry : exchange.caller.logged().entrySet()) {
            out.append(",\"").append(entry.getKey()).append("\":").append(new JsonPrimitive(entry.getValue()));
        }
        return out.toString();
    }

    private static void milliseconds(StringBuilder out, long nanoseconds) {
        long microseconds = nanoseconds / 1000;
        long rest = microseconds % 1000;
        out.append(microseconds / 1000).append(rest < 10 ? ".00" : rest < 100 ? ".0" : ".").append(rest);
    }

    /** Returns the same as " key=value" each. A value that could be taken for two stays in quotes. */
    private static String text(String fields) {
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, JsonElement> field : JsonParser.parseString("{" + fields + "}").getAsJsonObject().entrySet()) {
            String value = field.getValue().toString();
            boolean plain = field.getValue().isJsonPrimitive() && value.indexOf(' ') < 0 && value.indexOf('\\') < 0;
            out.append(' ').append(field.getKey()).append('=').append(plain ? field.getValue().getAsString() : value);
        }
        return out.toString();
    }
}
