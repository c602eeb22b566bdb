package serving;

import java.nio.file.Path;

/** A model of a multi-model endpoint, and how many requests are at it. Workers open it while its marker exists. */
final class LoadedModel {
    final String name;
    final String url;
    final String version;
    final long bytes;
    final Path marker;
    private int requests;
    private boolean closed;

    LoadedModel(String name, String url, String version, long bytes, Path marker) {
        this.name = name;
        this.url = url;
        this.version = version;
        this.bytes = bytes;
        this.marker = marker;
    }

    /** Returns false where the model is being unloaded; after true, {@link #leave} has to follow. */
    synchronized boolean enter() {
        if (!closed) {
            requests++;
        }
        return !closed;
    }

    synchronized void leave() {
        requests--;
        notifyAll();
    }

    /** Lets no more requests in, and waits until those inside have left, so many milliseconds at most. */
    synchronized void close(long milliseconds) throws InterruptedException {
        closed = true;
        long end = System.nanoTime() + milliseconds * 1_000_000;
        for (long left = milliseconds; requests > 0 && left > 0; left = (end - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
    }
}
