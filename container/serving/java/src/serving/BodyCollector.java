package serving;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;

/** Collects the body of a request; one that is too large is answered at once, and the rest of it is read and dropped. */
final class BodyCollector extends HttpObjectAggregator {
    private final Journal journal;

    BodyCollector(int maxBytes, Journal journal) {
        super(maxBytes);
        this.journal = journal;
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage message) {
        new Exchange(context, (HttpRequest) message, "oversized", journal).answer(Problem.TOO_LARGE);
    }

    /** The answer to "Expect: 100-continue": go on, or no. */
    @Override
    protected Object newContinueResponse(HttpMessage start, int maxBytes, ChannelPipeline pipeline) {
        Object response = super.newContinueResponse(start, maxBytes, pipeline);
        HttpResponseStatus status = response instanceof HttpResponse ? ((HttpResponse) response).status() : HttpResponseStatus.CONTINUE;
        if (status.equals(HttpResponseStatus.CONTINUE)) {
            return response;
        }
        Problem problem = status.equals(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE) ? Problem.TOO_LARGE : Problem.BAD_EXPECTATION;
        String route = problem == Problem.TOO_LARGE ? "oversized" : "unknown";
        return new Exchange(pipeline.lastContext(), (HttpRequest) start, route, journal).response(problem);
    }
}
