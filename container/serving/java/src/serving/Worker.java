package serving;

import com.amazonaws.ml.mms.util.messages.ModelInferenceRequest;
import com.amazonaws.ml.mms.util.messages.ModelWorkerResponse;
import com.amazonaws.ml.mms.util.messages.Predictions;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A worker as its connection shows it. It has one batch of requests at a time; all of this happens in the event loop of the connection. */
public final class Worker {
    private static final Logger LOG = LoggerFactory.getLogger("serving");

    private final Channel channel;
    private final EventLoop loop;
    private final String connection;
    private final Dispatcher dispatcher;
    private final long timeout; // nanoseconds
    private List<Invocation> batch = Collections.emptyList(); // that it has not answered yet
    private long since; // when it got them
    private boolean watched;
    private boolean lost;

    Worker(Channel channel, Dispatcher dispatcher, int timeoutSeconds) {
        this.channel = channel;
        this.loop = channel.eventLoop();
        this.connection = channel.id().asLongText();
        this.dispatcher = dispatcher;
        timeout = TimeUnit.SECONDS.toNanos(timeoutSeconds);
    }

    String connection() {
        return connection;
    }

    /** Sends requests to a worker that has none. May be called from any thread. */
    void send(List<Invocation> requests) {
        if (loop.inEventLoop()) {
            write(requests);
        } else {
            loop.execute(() -> write(requests));
        }
    }

    private void write(List<Invocation> requests) {
        if (lost) {
            dispatcher.giveBack(requests);
            return;
        }
        batch = requests;
        since = System.nanoTime();
        ModelInferenceRequest frame = new ModelInferenceRequest(Server.MODEL);
        for (Invocation request : requests) {
            request.taken(requests.size());
            frame.addRequest(request.input);
        }
        channel.writeAndFlush(frame).addListener(written -> {
            if (!written.isSuccess()) {
                LOG.debug("a worker cannot be reached: {}", written.cause().toString());
                channel.close();
            }
        });
        if (!watched) {
            watched = true;
            watch(timeout);
        }
    }

    /** Looks later whether it still has the same batch: one timer for a worker and not one for each batch, which would be set in vain. */
    private void watch(long nanoseconds) {
        loop.schedule(() -> {
            long left = batch.isEmpty() ? timeout : since + timeout - System.nanoTime();
            if (lost) {
                return;
            } else if (left > 0) {
                watch(left);
            } else {
                LOG.debug("a worker has not answered in {} s and is replaced", TimeUnit.NANOSECONDS.toSeconds(timeout));
                fail("Worker did not answer in time.");
                channel.close();
            }
        }, nanoseconds, TimeUnit.NANOSECONDS);
    }

    /** Takes the answer to a batch, and sends the next one first. Returns false where the worker has none: it answers something else. */
    public boolean answered(ModelWorkerResponse response) {
        if (batch.isEmpty()) {
            return false;
        }
        List<Invocation> done = batch;
        batch = Collections.emptyList();
        List<Predictions> answers = response.getPredictions();
        if (response.getCode() != 200 || answers.size() != done.size()) {
            throw new IllegalStateException("a worker gave " + answers.size() + " answers to " + done.size() + " requests");
        }
        List<Invocation> next = dispatcher.next(this);
        if (next != null) {
            write(next);
        }
        for (int i = 0; i < done.size(); i++) {
            done.get(i).answer(answers.get(i));
        }
        return true;
    }

    /** The connection has ended. Requests that were together go out again, each alone: only one of them can have been its end. */
    public void ended() {
        lost = true;
        dispatcher.lost(this);
        if (batch.size() > 1) {
            List<Invocation> left = batch;
            batch = Collections.emptyList();
            left.forEach(request -> request.alone = true);
            dispatcher.giveBack(left);
        } else {
            fail("Worker died.");
        }
    }

    private void fail(String reason) {
        List<Invocation> left = batch;
        batch = Collections.emptyList();
        left.forEach(request -> request.fail(reason));
    }
}
