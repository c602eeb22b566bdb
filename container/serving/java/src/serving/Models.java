package serving;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models of a multi-model endpoint. All of them share the workers: a loaded model is a marker file that holds the path of its folder,
 * a worker opens it (memory-mapped) with its first request, says so with a file "marker.pid", and drops it when the marker is gone.
 */
final class Models {
    private static final Logger LOG = LoggerFactory.getLogger("serving");
    private static final long WORKER_MILLISECONDS = 5_000;

    private final Settings settings;
    private final NavigableMap<String, LoadedModel> loaded = new ConcurrentSkipListMap<>();
    private final AtomicLong bytes = new AtomicLong(); // of all that is loaded, or not yet given back
    private final AtomicLong count = new AtomicLong();

    Models(Settings settings) {
        this.settings = settings;
    }

    LoadedModel get(String name) {
        return loaded.get(name);
    }

    int size() {
        return loaded.size();
    }

    /** Returns the models whose names come after {@code name}, all where it is empty, in the order of the names. */
    Iterable<LoadedModel> after(String name) {
        return loaded.tailMap(name, false).values();
    }

    /** Loads a model, or throws. One at a time: so two that fit alone, but not together, are never both let in. */
    synchronized LoadedModel load(String name, String url) throws Refusal, InterruptedException {
        if (loaded.containsKey(name)) {
            throw new Refusal(Problem.ALREADY_LOADED);
        }
        Path folder = folder(url);
        try {
            JsonObject report = Preflight.run(settings, folder, bytes.get());
            int status = report.get("status").getAsInt();
            if (status != 200) {
                throw new Refusal(status, report.get("code").getAsString(), report.get("message").getAsString());
            }
            Path marker = settings.markers.resolve(Long.toString(count.incrementAndGet()));
            Path partial = settings.markers.resolveSibling("marker.partial");
            Files.write(partial, folder.toString().getBytes(StandardCharsets.UTF_8));
            Files.move(partial, marker, StandardCopyOption.ATOMIC_MOVE);
            LoadedModel model = new LoadedModel(
                    name, url, report.get("model_version").getAsString(), report.get("bytes").getAsLong(), marker);
            bytes.addAndGet(model.bytes);
            loaded.put(name, model);
            LOG.info("model {} loaded version={} bytes={}", name, model.version, model.bytes);
            return model;
        } catch (IOException | RuntimeException problem) {
            LOG.error("model {} could not be loaded: {}", name, problem.toString());
            throw new Refusal(Problem.LOAD_FAILED);
        }
    }

    /** Takes a model away, and returns when no worker has it any longer; its memory is then free. Returns false where it is not loaded. */
    boolean unload(String name) throws InterruptedException {
        LoadedModel model = loaded.remove(name);
        if (model == null) {
            return false;
        }
        try {
            model.close(settings.timeoutSeconds * 1000L + WORKER_MILLISECONDS);
            Files.deleteIfExists(model.marker);
            long deadline = System.nanoTime() + WORKER_MILLISECONDS * 1_000_000;
            boolean open = isOpenSomewhere(model);
            for (; open && System.nanoTime() < deadline; open = isOpenSomewhere(model)) {
                Thread.sleep(10);
            }
            LOG.info("model {} unloaded{}", name, open ? ", but a worker that hangs still has it" : "");
        } catch (IOException problem) {
            LOG.error("model {} may still be open in a worker: {}", name, problem.toString());
        } finally {
            bytes.addAndGet(-model.bytes);
        }
        return true;
    }

    /** Returns whether a worker that lives has it open. Of a worker that was killed the file is left, and removed here. */
    private boolean isOpenSomewhere(LoadedModel model) throws IOException {
        boolean open = false;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(settings.markers, model.marker.getFileName() + ".*")) {
            for (Path file : files) {
                String process = file.getFileName().toString().split("\\.")[1];
                if (Files.exists(Paths.get("/proc")) && !Files.exists(Paths.get("/proc", process))) {
                    Files.deleteIfExists(file);
                } else {
                    open = true;
                }
            }
        }
        return open;
    }

    /** Returns the folder that a URL names, which must lie in the folder of all models, also when links are followed. */
    private Path folder(String url) throws Refusal {
        try {
            Path base = settings.models.toRealPath();
            Path folder = base.resolve(url).toRealPath();
            if (folder.startsWith(base) && !folder.equals(base) && Files.isDirectory(folder)) {
                return folder;
            }
        } catch (IOException | RuntimeException missing) {
            LOG.debug("no such folder: {}", missing.toString());
        }
        throw new Refusal(Problem.NO_SUCH_FOLDER);
    }

    /** Why a model was not loaded. */
    static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        final int status;
        final String code;

        Refusal(int status, String code, String message) {
            super(message, null, false, false);
            this.status = status;
            this.code = code;
        }

        Refusal(Problem problem) {
            this(problem.status, problem.code, problem.sentence);
        }
    }
}
