package serving;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.UUID;

/** Collects the body of a request; one that is too large is answered at once, and the rest of it is read and dropped. */
final class BodyCollector extends HttpObjectAggregator {
    BodyCollector(int maxBytes) {
        super(maxBytes);
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage message) {
        new Exchange(context, (HttpRequest) message, "oversized").answer(Problem.TOO_LARGE);
    }

    /** The answer to "Expect: 100-continue": go on, or no. */
    @Override
    protected Object newContinueResponse(HttpMessage start, int maxBytes, ChannelPipeline pipeline) {
        Object response = super.newContinueResponse(start, maxBytes, pipeline);
        boolean refused = response instanceof HttpResponse
                && HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE.equals(((HttpResponse) response).status());
        if (!refused) {
            return response;
        }
        String id = UUID.randomUUID().toString();
        return Exchange.response(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, Exchange.JSON, Exchange.bytes(Problem.TOO_LARGE.body(id)), id);
    }
}
