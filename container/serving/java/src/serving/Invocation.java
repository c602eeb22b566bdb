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
    private final AtomicBoolean waiting = new AtomicBoolean(true);

    /** Makes the invocation; {@code model} is null where the endpoint has one model only, else has been entered and is left at the end. */
    Invocation(Exchange exchange, RequestInput input, Health health, Metrics metrics, LoadedModel model) {
        super(null, Server.MODEL, WorkerCommands.PREDICT, input);
        this.exchange = exchange;
        this.health = health;
        this.size = exchange.bytesIn;
        this.metrics = metrics;
        this.model = model;
        health.requestStarted(size);
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
