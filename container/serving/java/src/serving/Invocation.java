package serving;

import com.amazonaws.ml.mms.util.messages.Predictions;
import com.amazonaws.ml.mms.util.messages.RequestInput;
import io.netty.channel.ChannelFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** A request for a worker. Exactly one of its answers is called. */
final class Invocation {
    private static final String ACCOUNT_HEADER = "serving-account"; // of container/serving/handler.py; it goes no further

    /** What the worker gets. */
    final RequestInput input;
    /** Bytes of the body. */
    final int size;
    /** Whether no other request may go to a worker together with it. */
    volatile boolean alone;
    private final Exchange exchange;
    private final Health health;
    private final Metrics metrics;
    /** Null where the endpoint has one model only. */
    final LoadedModel model;
    private final AtomicBoolean waiting = new AtomicBoolean(true);

    /**
     * Makes the invocation, which lets go of what the exchange holds at its end. {@code model} is null where the endpoint has one model
     * only, else has been entered and is left at the end.
     */
    Invocation(Exchange exchange, RequestInput input, Health health, Metrics metrics, LoadedModel model) {
        this.input = input;
        this.exchange = exchange;
        this.health = health;
        this.size = exchange.held;
        this.metrics = metrics;
        this.model = model;
        health.requestStarted();
        health.queued(1);
    }

    /** A worker takes it, with so many in all; more than once where that one dies. */
    void taken(int together) {
        exchange.together = together;
        exchange.waited = exchange.nanoseconds();
        leaveQueue();
    }

    private void leaveQueue() {
        if (waiting.compareAndSet(true, false)) {
            health.queued(-1);
        }
    }

    /** The worker's answer. The reason phrase is the standard one of the status: a phrase of the worker's could hold anything. */
    void answer(Predictions answer) {
        exchange.account = answer.getHeaders().get(ACCOUNT_HEADER);
        finish(exchange.answer(answer.getStatusCode(), answer.getContentType(), answer.getResp()));
    }

    /** The worker died, or ran out of time. */
    void fail(String reason) {
        exchange.lost = reason;
        finish(exchange.answer(Problem.WORKER_LOST));
    }

    /** No worker will be asked. */
    void refuse(Problem problem) {
        end(exchange.answer(problem));
    }

    private void finish(ChannelFuture written) {
        metrics.invoked(exchange.nanoseconds(), Math.max(exchange.waited, 0));
        end(written);
    }

    private void end(ChannelFuture written) {
        leaveQueue();
        if (model != null) {
            model.leave();
        }
        written.addListener(future -> health.requestEnded(size));
    }
}
