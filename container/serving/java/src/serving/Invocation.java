package serving;

import com.amazonaws.ml.mms.util.messages.RequestInput;
import com.amazonaws.ml.mms.util.messages.WorkerCommands;
import com.amazonaws.ml.mms.wlm.Job;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** A request in multi-model-server's queue. Exactly one of its answers is called. */
final class Invocation extends Job {
    private static final String ACCOUNT_HEADER = "serving-account"; // of container/serving/handler.py; it goes no further

    private final Exchange exchange;
    private final Health health;
    private final Metrics metrics;
    private final int size;
    private final LoadedModel model;
    private final Turns turns;
    private final AtomicBoolean waiting = new AtomicBoolean(true);

    /**
     * Makes the invocation, which lets go of what the exchange holds at its end. {@code model} and {@code turns} are null where the
     * endpoint has one model only, else the model has been entered and is left at the end, when the next one's turn comes.
     */
    Invocation(Exchange exchange, RequestInput input, Health health, Metrics metrics, LoadedModel model, Turns turns) {
        super(null, Server.MODEL, WorkerCommands.PREDICT, input);
        this.exchange = exchange;
        this.health = health;
        this.size = exchange.held;
        this.metrics = metrics;
        this.model = model;
        this.turns = turns;
        health.requestStarted();
        health.queued(1);
    }

    /** A worker takes it; more than once where that one dies before it has sent it on. */
    @Override
    public void setScheduled() {
        super.setScheduled();
        exchange.waited = exchange.nanoseconds();
        leaveQueue();
    }

    private void leaveQueue() {
        if (waiting.compareAndSet(true, false)) {
            health.queued(-1);
        }
    }

    /** The worker's answer. The reason phrase is the standard one of the status: a phrase of the worker's could hold anything. */
    @Override
    public void response(byte[] body, CharSequence contentType, int status, String phrase, Map<String, String> headers) {
        exchange.account = headers.get(ACCOUNT_HEADER);
        finish(exchange.answer(status, contentType, body));
    }

    /** multi-model-server's own error: the worker died, ran out of time, or is out of memory. */
    @Override
    public void sendError(HttpResponseStatus status, String error) {
        exchange.lost = error;
        finish(exchange.answer(Problem.ofStatus(status.code())));
    }

    /** It was not let in. */
    void turnAway(Problem problem) {
        leave(exchange.answer(problem));
    }

    /** No worker will be asked, though it was let in. */
    void refuse(Problem problem) {
        end(exchange.answer(problem));
    }

    private void finish(ChannelFuture written) {
        metrics.invoked(exchange.nanoseconds(), Math.max(exchange.waited, 0));
        end(written);
    }

    private void end(ChannelFuture written) {
        leave(written);
        if (turns != null) {
            turns.ended();
        }
    }

    private void leave(ChannelFuture written) {
        leaveQueue();
        if (model != null) {
            model.leave();
        }
        written.addListener(future -> health.requestEnded(size));
    }
}
