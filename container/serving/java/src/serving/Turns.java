package serving;

import com.amazonaws.ml.mms.archive.ModelNotFoundException;
import com.amazonaws.ml.mms.wlm.ModelManager;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;

/**
 * Whose turn it is on a multi-model endpoint. Workers are shared, so a crowd at one model would fill the one queue and keep all others out;
 * here each model has a queue of its own, and multi-model-server's holds no more than the workers take next, one model after the other.
 */
final class Turns {
    private final int atOnce; // in multi-model-server's queue or in workers; one more than there are workers, so that none waits for us
    private final int longest;
    private final Map<LoadedModel, Queue<Invocation>> waiting = new LinkedHashMap<>(); // whose turn is next comes first; none is empty
    private int given;

    Turns(int workers, int longest) {
        this.atOnce = Math.min(workers + 1, longest);
        this.longest = longest;
    }

    /** Lets an invocation wait for its turn. Returns false where too many wait for its model already. */
    boolean add(LoadedModel model, Invocation invocation) {
        synchronized (this) {
            Queue<Invocation> queue = waiting.computeIfAbsent(model, first -> new ArrayDeque<>());
            if (queue.size() >= longest) {
                return false;
            }
            queue.add(invocation);
        }
        giveNext();
        return true;
    }

    /** Has to be called once for each invocation that was let in, when it has its answer. */
    void ended() {
        synchronized (this) {
            given--;
        }
        giveNext();
    }

    private void giveNext() {
        for (Invocation next = take(); next != null; next = take()) {
            try {
                if (ModelManager.getInstance().addJob(next)) {
                    continue;
                }
            } catch (ModelNotFoundException noWorkers) {
                // as where there is no room
            }
            next.refuse(Problem.BUSY);
        }
    }

    private synchronized Invocation take() {
        if (given >= atOnce || waiting.isEmpty()) {
            return null;
        }
        Iterator<Map.Entry<LoadedModel, Queue<Invocation>>> first = waiting.entrySet().iterator();
        Map.Entry<LoadedModel, Queue<Invocation>> entry = first.next();
        LoadedModel model = entry.getKey();
        Queue<Invocation> queue = entry.getValue();
        first.remove();
        Invocation next = queue.remove();
        if (!queue.isEmpty()) {
            waiting.put(model, queue);
        }
        given++;
        return next;
    }
}
