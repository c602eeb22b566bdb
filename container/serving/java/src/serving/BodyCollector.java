package serving;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.List;

/**
 * Collects the body of a request; one that is too large is answered at once, and the rest of it is read and dropped, and so is one that
 * does not fit beside what others have sent so far.
 */
final class BodyCollector extends HttpObjectAggregator {
    private final Settings settings;
    private final Health health;
    private final Journal journal;
    private HttpRequest request; // whose body is being received
    private int held; // bytes of it
    private int whole; // bytes of requests that Routes has not taken yet
    private boolean refused; // all that still comes is dropped
    private boolean dropping; // the rest of a body that was too large

    BodyCollector(Settings settings, Health health, Journal journal) {
        super(settings.maxRequestBytes);
        this.settings = settings;
        this.health = health;
        this.journal = journal;
    }

    @Override
    protected void decode(ChannelHandlerContext context, HttpObject part, List<Object> out) throws Exception {
        if (refused) {
            return;
        }
        if (part instanceof HttpRequest) {
            request = (HttpRequest) part;
            dropping = false;
            // Where a request ends that says so in two ways is a matter of opinion, and a proxy may have another one. So nothing that
            // follows a body in chunks is taken for a request: see SECURITY.md.
            if (request.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)) {
                HttpUtil.setKeepAlive(request, false);
            }
        }
        if (part instanceof HttpContent && !dropping) {
            int size = ((HttpContent) part).content().readableBytes();
            held += size;
            health.received(size);
            if (!settings.hasRoom(health.bytesInFlight() - held, held) && held <= settings.maxRequestBytes) {
                refused = true;
                HttpUtil.setKeepAlive(request, false);
                release();
                super.handlerRemoved(context); // lets go of what it has; there is nothing else that does
                new Exchange(context, request, "oversized", journal).answer(Problem.BUSY);
                return;
            }
        }
        if (part instanceof LastHttpContent) {
            whole += held;
            held = 0;
        }
        super.decode(context, part, out);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        release();
        health.received(-take(whole));
        super.channelInactive(context);
    }

    /** Hands a whole request of so many bytes over: returns how many stay counted, without a gap, until the one who took them has done. */
    int take(int size) {
        int taken = Math.min(size, whole);
        whole -= taken;
        return taken;
    }

    /** Returns whether what is being received now was answered already. */
    boolean hasAnswered() {
        return refused || dropping;
    }

    private void release() {
        health.received(-held);
        held = 0;
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage message) {
        release();
        dropping = true;
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
