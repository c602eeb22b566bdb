package serving;

import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Hands requests to workers: to one that waits, at once and alone; else to the first that becomes free, which then takes some of those that
 * wait, together. So nobody waits for others to come, and there are batches only under load.
 *
 * <p>multi-model-server's threads start the workers, load the model and replace a worker that is lost. No request passes through them: its
 * way would be four threads long, each of which has to be woken.
 */
public final class Dispatcher {
    /** Of the bodies that go together. A larger one goes alone, since whoever is with it waits for its answer, too. */
    private static final int BYTES_TOGETHER = 8 * 1024;

    private static Dispatcher only;

    private final int timeoutSeconds;
    private final int most;
    private final Map<String, Worker> workers = new HashMap<>(); // that are connected, by the id of their connection
    private final Deque<Worker> idle = new ArrayDeque<>(); // the last to have worked first: what it needs is in the processor's cache
    private final Turns waiting; // empty while any worker is idle

    Dispatcher(Settings settings) {
        timeoutSeconds = settings.timeoutSeconds;
        waiting = new Turns(settings.queueSize);
        most = settings.batchSize;
        setOnly(this);
    }

    private static synchronized void setOnly(Dispatcher dispatcher) {
        only = dispatcher;
    }

    /** Returns the one of this server, for the classes that multi-model-server makes by itself. */
    public static synchronized Dispatcher get() {
        return only;
    }

    /** Returns what stands for the worker at this new connection. It gets no requests before it is said to be ready. */
    public synchronized Worker connected(Channel channel) {
        Worker worker = new Worker(channel, this, timeoutSeconds);
        workers.put(channel.id().asLongText(), worker);
        return worker;
    }

    /** The worker with this connection has loaded the model. */
    public void ready(String connection) {
        Worker worker;
        synchronized (this) {
            worker = workers.get(connection);
        }
        if (worker != null) { // else it is lost already
            send(worker, next(worker));
        }
    }

    /** Takes a request. Returns false where too many wait. */
    boolean offer(Invocation invocation) {
        Worker worker;
        synchronized (this) {
            worker = idle.pollFirst();
            if (worker == null) {
                return waiting.add(invocation);
            }
        }
        List<Invocation> alone = new ArrayList<>(1);
        alone.add(invocation);
        send(worker, alone);
        return true;
    }

    /** Returns what a worker that is free is to do next; null for nothing, and then it counts as idle. */
    synchronized List<Invocation> next(Worker worker) {
        Invocation first = waiting.poll();
        if (first == null) {
            if (workers.containsKey(worker.connection())) {
                idle.addFirst(worker);
            }
            return null;
        }
        List<Invocation> batch = new ArrayList<>();
        batch.add(first);
        // Half of its share: the others will be free soon, too, and it must not have to wait for callers when it is done.
        int shares = 2 * Math.max(workers.size(), 1);
        int share = Math.min(most, (waiting.size() + shares) / shares); // of those that waited with the first one, rounded up
        int bytes = first.size;
        while (!first.alone && batch.size() < share && !waiting.isEmpty()) {
            Invocation another = waiting.peek();
            bytes += another.size;
            if (another.alone || bytes > BYTES_TOGETHER) {
                break;
            }
            batch.add(waiting.poll());
        }
        return batch;
    }

    /** Takes requests back that no worker has answered; they have waited the longest. */
    void giveBack(List<Invocation> batch) {
        synchronized (this) {
            for (int i = batch.size() - 1; i >= 0; i--) {
                waiting.putBack(batch.get(i));
            }
        }
        while (true) {
            Worker worker;
            synchronized (this) {
                worker = waiting.isEmpty() ? null : idle.pollFirst();
            }
            if (worker == null) {
                return;
            }
            send(worker, next(worker));
        }
    }

    /** The connection of a worker has ended: it gets no more requests. */
    synchronized void lost(Worker worker) {
        workers.remove(worker.connection());
        idle.remove(worker);
    }

    private static void send(Worker worker, List<Invocation> batch) {
        if (batch != null) {
            worker.send(batch);
        }
    }
}
