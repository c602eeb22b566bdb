package serving;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The requests that wait, and whose turn it is. Workers are shared by all models of an endpoint, so in one queue a crowd at one model would
 * keep all others out: here each model has a queue of its own, and they take turns. Not to be used by two threads at once.
 */
final class Turns {
    private final int longest;
    private final Map<LoadedModel, Deque<Invocation>> waiting = new LinkedHashMap<>(); // whose turn is next comes first; none is empty
    private int size;

    /** Makes the queues, each for {@code longest} requests. */
    Turns(int longest) {
        this.longest = longest;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Lets a request wait. Returns false where too many wait for its model already. */
    boolean add(Invocation request) {
        Deque<Invocation> queue = waiting.get(request.model);
        if (queue != null && queue.size() >= longest) {
            return false;
        }
        of(request.model).addLast(request);
        size++;
        return true;
    }

    /** Lets a request wait again that had its turn already, before all others of its model. */
    void putBack(Invocation request) {
        of(request.model).addFirst(request);
        size++;
    }

    /** Returns the request whose turn it is, null for none. */
    Invocation peek() {
        return size == 0 ? null : waiting.values().iterator().next().peekFirst();
    }

    /** Takes the request whose turn it is, null for none; then it is another model's turn. */
    Invocation poll() {
        if (size == 0) {
            return null;
        }
        Iterator<Map.Entry<LoadedModel, Deque<Invocation>>> first = waiting.entrySet().iterator();
        Map.Entry<LoadedModel, Deque<Invocation>> entry = first.next();
        LoadedModel model = entry.getKey();
        Deque<Invocation> queue = entry.getValue();
        Invocation next = queue.removeFirst();
        size--;
        if (waiting.size() > 1 || queue.isEmpty()) {
            first.remove();
            if (!queue.isEmpty()) {
                waiting.put(model, queue);
            }
        }
        return next;
    }

    private Deque<Invocation> of(LoadedModel model) {
        return waiting.computeIfAbsent(model, first -> new ArrayDeque<>());
    }
}
