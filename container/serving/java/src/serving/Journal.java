package serving;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts each answer, and writes its line into the log: JSON, or text where a person is watching. */
final class Journal {
    private static final Logger LOG = LoggerFactory.getLogger("serving");

    final Metrics metrics;
    private final boolean json;
    // Straight to the system, a line in one call: by way of log4j it took more than twice as long.
    private final OutputStream err = new FileOutputStream(FileDescriptor.err);
    private volatile Second second = new Second(0);

    Journal(Metrics metrics, boolean json) {
        this.metrics = metrics;
        this.json = json;
    }

    /** To be called once for each request. Pings and scrapes are counted only. */
    void answered(Exchange exchange, int status, int bytesOut) {
        metrics.answered(exchange.route, status);
        boolean error = exchange.lost != null; // what is lost is told at every level
        if (exchange.isSilent() || !(error ? LOG.isErrorEnabled() : LOG.isInfoEnabled())) {
            return;
        }
        StringBuilder line = new StringBuilder(512);
        if (json) {
            line.append("{\"time\":\"");
            time(line, System.currentTimeMillis());
            fields(line.append("\",\"level\":\"").append(error ? "ERROR" : "INFO").append("\","), exchange, status, bytesOut);
            write(line.append("}\n").toString());
        } else {
            fields(line.append('{'), exchange, status, bytesOut);
            String text = "request" + text(line.append('}').toString());
            if (error) {
                LOG.error(text);
            } else {
                LOG.info(text);
            }
        }
    }

    private void write(String line) {
        try {
            err.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException closed) {
            LOG.debug("nobody reads the log: {}", closed.toString());
        }
    }

    private void time(StringBuilder out, long milliseconds) {
        Second now = second;
        if (now.number != milliseconds / 1000) {
            now = new Second(milliseconds / 1000);
            second = now;
        }
        thousandths(out.append(now.text), milliseconds % 1000);
        out.append('Z');
    }

    /** Appends the inside of the braces of a JSON object: what is known of any request, of one that a worker had, and of who asked. */
    private static void fields(StringBuilder out, Exchange exchange, int status, int bytesOut) {
        out.append("\"id\":\"").append(exchange.id).append("\",\"route\":\"").append(exchange.route).append("\",\"status\":").append(status);
        milliseconds(out.append(",\"ms\":"), exchange.nanoseconds());
        if (exchange.waited >= 0) {
            milliseconds(out.append(",\"queue_ms\":"), exchange.waited);
        }
        if (exchange.together > 1) {
            out.append(",\"together\":").append(exchange.together);
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
    }

    private static void milliseconds(StringBuilder out, long nanoseconds) {
        thousandths(out.append(nanoseconds / 1_000_000), nanoseconds / 1000 % 1000);
    }

    private static void thousandths(StringBuilder out, long count) {
        out.append(count < 10 ? ".00" : count < 100 ? ".0" : ".").append(count);
    }

    /** A second since 1970, and what a line says of it. */
    private static final class Second {
        final long number;
        final String text;

        Second(long number) {
            this.number = number;
            this.text = Instant.ofEpochSecond(number).toString().substring(0, "1970-01-01T00:00:00".length());
        }
    }

    /** Returns the same as " key=value" each. A value that could be taken for two stays in quotes. */
    private static String text(String object) {
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, JsonElement> field : JsonParser.parseString(object).getAsJsonObject().entrySet()) {
            String value = field.getValue().toString();
            boolean plain = field.getValue().isJsonPrimitive() && value.indexOf(' ') < 0 && value.indexOf('\\') < 0;
            out.append(' ').append(field.getKey()).append('=').append(plain ? field.getValue().getAsString() : value);
        }
        return out.toString();
    }
}
