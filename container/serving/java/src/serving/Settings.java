package serving;

import com.amazonaws.ml.mms.util.ConfigManager;
import java.nio.file.Path;
import java.nio.file.Paths;

/** What the launcher decided, read from the properties file. */
final class Settings {
    private static final int SMALL = 1 << 16; // bytes

    final String host;
    final int port;
    final int workers;
    final int maxRequestBytes;
    private final long maxBytesInFlight;
    private final long maxBytesWithSmall;
    final int drainSeconds;
    final String executionParameters;
    final String python;
    /** Of the one model; null on a multi-model endpoint. */
    final String modelVersion;
    final int timeoutSeconds;
    /** How many requests may wait for a worker; on a multi-model endpoint so many for each model. */
    final int queueSize;
    /** How many of them a worker gets at once, at most. */
    final int batchSize;
    /** Where the models of a multi-model endpoint lie; null where the endpoint has one model only. */
    final Path models;
    /** Where the markers of the loaded models lie; see {@link Models}. */
    final Path markers;
    /** Where processes count; see {@link Metrics}. */
    final Path metrics;
    /** Whether the log is for programs, and not for a person at a terminal. */
    final boolean jsonLog;

    Settings(ConfigManager config) {
        host = config.getProperty("serving_host", "127.0.0.1");
        port = number(config, "serving_port");
        workers = config.getDefaultWorkers();
        maxRequestBytes = config.getMaxRequestSize();
        // A body is held up to four times on its way (received, copied, framed, sent), hence a quarter of the heap.
        // The last eighth of it is for small ones.
        long some = Runtime.getRuntime().maxMemory() / 32;
        maxBytesInFlight = Math.max(maxRequestBytes, 7 * some);
        maxBytesWithSmall = maxBytesInFlight + some;
        drainSeconds = number(config, "serving_drain_seconds");
        executionParameters = config.getProperty("serving_execution_parameters", "{}");
        modelVersion = config.getProperty("serving_model_version", null);
        python = config.getPythonExecutable();
        queueSize = config.getJobQueueSize();
        batchSize = number(config, "serving_batch_size");
        timeoutSeconds = config.getDefaultResponseTimeoutSeconds();
        metrics = Paths.get(config.getProperty("serving_metrics", null));
        jsonLog = !"text".equals(config.getProperty("serving_log", "json"));
        String folder = config.getProperty("serving_models", null);
        models = folder == null ? null : Paths.get(folder);
        markers = folder == null ? null : Paths.get(config.getProperty("serving_markers", null));
    }

    /** Returns whether a body of {@code size} bytes may come to the {@code bytes} on their way; small ones may where no large one does any more. */
    boolean hasRoom(long bytes, int size) {
        return bytes + size <= (size <= SMALL ? maxBytesWithSmall : maxBytesInFlight);
    }

    private static int number(ConfigManager config, String key) {
        return Integer.parseInt(config.getProperty(key, null));
    }
}
