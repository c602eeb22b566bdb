package serving;

import com.amazonaws.ml.mms.wlm.ModelManager;
import com.amazonaws.ml.mms.wlm.WorkerState;
import com.amazonaws.ml.mms.wlm.WorkerThread;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Whether this server should be sent requests, and how much it has at hand. */
final class Health {
    private final int workers;
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile boolean everyWorkerLoadedOnce;
    private volatile boolean draining;

    Health(int workers) {
        this.workers = workers;
    }

    /** Returns true once every configured worker has loaded the model, and from then on while at least one of them runs. */
    boolean isReady() {
        int loaded = loadedWorkers();
        if (loaded >= workers) {
            everyWorkerLoadedOnce = true;
        }
        return !draining && everyWorkerLoadedOnce && loaded > 0;
    }

    private static int loadedWorkers() {
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

    void requestStarted(int size) {
        requests.incrementAndGet();
        bytes.addAndGet(size);
    }

    void requestEnded(int size) {
        requests.decrementAndGet();
        bytes.addAndGet(-size);
    }

    int requestsInFlight() {
        return requests.get();
    }

    long bytesInFlight() {
        return bytes.get();
    }
}
