package serving;

import com.amazonaws.ml.mms.wlm.ModelManager;
import com.amazonaws.ml.mms.wlm.WorkerState;
import com.amazonaws.ml.mms.wlm.WorkerThread;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Whether this server should be sent requests, and how much it has at hand. */
final class Health {
    // A worker that dies of a request now and then is replaced; several in a minute, again and again, are a fault that a new instance may cure.
    private static final int LOSSES_OF_EACH = 3;
    private static final long LOSS_NANOSECONDS = 60_000_000_000L;

    private final int workers;
    private final Deque<Long> losses = new ArrayDeque<>(); // when workers were started in place of lost ones, the latest last
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile boolean everyWorkerLoadedOnce;
    private volatile boolean draining;

    Health(int workers) {
        this.workers = workers;
    }

    /**
     * Returns true once every configured worker has loaded the model, and from then on while at least one of them runs; but not while
     * workers keep dying, which is to say that in a minute as many as three for each had to be replaced.
     */
    boolean isReady() {
        int loaded = loadedWorkers();
        if (loaded >= workers) {
            everyWorkerLoadedOnce = true;
        }
        return !draining && everyWorkerLoadedOnce && loaded > 0 && !keepsLosingWorkers();
    }

    /** Tells that so many workers were started in place of lost ones since it was last told. */
    synchronized void replaced(int count) {
        for (int i = 0; i < count; i++) {
            losses.addLast(System.nanoTime());
            if (losses.size() > LOSSES_OF_EACH * workers) {
                losses.removeFirst();
            }
        }
    }

    private synchronized boolean keepsLosingWorkers() {
        long now = System.nanoTime();
        while (!losses.isEmpty() && now - losses.peekFirst() > LOSS_NANOSECONDS) {
            losses.removeFirst();
        }
        return losses.size() >= LOSSES_OF_EACH * workers;
    }

    int loadedWorkers() {
        int loaded = 0;
        for (WorkerThread worker : ModelManager.getInstance().getWorkers(Server.MODEL)) {
            if (worker.getState() == WorkerState.WORKER_MODEL_LOADED) {
                loaded++;
            }
        }
        return loaded;
    }

    void startDraining() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    void requestStarted() {
        requests.incrementAndGet();
    }

    /** Ends one whose body of {@code size} bytes was received. */
    void requestEnded(int size) {
        requests.decrementAndGet();
        bytes.addAndGet(-size);
    }

    /** Adds to the bytes that are on their way: received, and not done with. */
    void received(int size) {
        bytes.addAndGet(size);
    }

    /** Adds to the requests that wait for a worker. */
    void queued(int count) {
        waiting.addAndGet(count);
    }

    int requestsWaiting() {
        return waiting.get();
    }

    int requestsInFlight() {
        return requests.get();
    }

    long bytesInFlight() {
        return bytes.get();
    }
}
