package serving;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Looks at a model in a process of its own, so that a broken one hurts no worker. */
final class Preflight {
    private static final int MAX_SECONDS = 900; // a model of a hundred gigabytes is hashed in less

    private Preflight() {}

    /**
     * Returns the report of container/serving/preflight.py: "status" 200 with "model_version" and "bytes", or another with "code" and
     * "message". {@code reserved}: the bytes of the models that are loaded already.
     */
    static JsonObject run(Settings settings, Path model, long reserved) throws IOException, InterruptedException {
        Path report = Files.createTempFile(settings.markers.getParent(), "preflight-", ".json");
        try {
            Process process = new ProcessBuilder(
                    settings.python, "-P", "-m", "container.serving.preflight", "--model", model.toString(),
                    "--reserved", Long.toString(reserved), "--report", report.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .redirectOutput(new File("/dev/null"))
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(MAX_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            String text = new String(Files.readAllBytes(report), StandardCharsets.UTF_8);
            if (text.isEmpty()) { // it was killed, or failed before it could say why
                throw new IOException("the look at the model ended without a report");
            }
            return JsonParser.parseString(text).getAsJsonObject();
        } finally {
            Files.deleteIfExists(report);
        }
    }
}
