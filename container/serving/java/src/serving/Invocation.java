package serving;

import com.amazonaws.ml.mms.util.messages.RequestInput;
import com.amazonaws.ml.mms.util.messages.WorkerCommands;
import com.amazonaws.ml.mms.wlm.Job;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A request in multi-model-server's queue. Exactly one of its answers is called. */
final class Invocation extends Job {
    private static final Logger LOG = LoggerFactory.getLogger("serving");

    private final Exchange exchange;
    private final Health health;
    private final int size;
    private final LoadedModel model;

    /** Makes the invocation; {@code model} is null where the endpoint has one model only, else has been entered and is left at the end. */
    Invocation(Exchange exchange, RequestInput input, Health health, int size, LoadedModel model) {
        super(null, Server.MODEL, WorkerCommands.PREDICT, input);
        this.exchange = exchange;
        this.health = health;
        this.size = size;
        this.model = model;
        health.requestStarted(size);
    }

    /** The worker's answer. The reason phrase is the standard one of the status: a phrase of the worker's could hold anything. */
    @Override
    public void response(byte[] body, CharSequence contentType, int status, String phrase, Map<String, String> headers) {
        finish(exchange.answer(status, contentType, body));
    }

    /** multi-model-server's own error: the worker died, ran out of time, or is out of memory. */
    @Override
    public void sendError(HttpResponseStatus status, String error) {
        LOG.error("request id={} lost: {}", exchange.id, error);
        refuse(Problem.ofStatus(status.code()));
    }

    void refuse(Problem problem) {
        finish(exchange.answer(problem.status, problem.body(exchange.id)));
    }

    private void finish(ChannelFuture written) {
        if (model != null) {
            model.leave();
        }
        written.addListener(future -> health.requestEnded(size));
    }
}
