package serving;

import com.amazonaws.ml.mms.util.messages.InputParameter;
import com.amazonaws.ml.mms.util.messages.RequestInput;
import com.amazonaws.ml.mms.wlm.ModelManager;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The public paths: /ping, /invocations and /execution-parameters, and nothing else. */
final class Routes extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger("serving");
    private static final byte[] EMPTY = {};

    private final Settings settings;
    private final Health health;

    Routes(Settings settings, Health health) {
        this.settings = settings;
        this.health = health;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) throws Exception {
        context.channel().config().setAutoRead(false);
        if (request.decoderResult().isFailure()) {
            new Exchange(context, request, "unknown").answer(Problem.BAD_HTTP);
            return;
        }
        switch (request.uri().split("\\?", 2)[0]) {
            case "/ping":
                ping(new Exchange(context, request, "ping"), request.method());
                break;
            case "/invocations":
                invoke(new Exchange(context, request, "invocations"), request);
                break;
            case "/execution-parameters":
                executionParameters(new Exchange(context, request, "execution-parameters"), request.method());
                break;
            default:
                new Exchange(context, request, "unknown").answer(Problem.NOT_FOUND);
        }
    }

    private void ping(Exchange exchange, HttpMethod method) {
        if (!HttpMethod.GET.equals(method)) {
            exchange.answer(Problem.USE_GET);
        } else if (!health.isReady()) {
            exchange.answer(Problem.NOT_READY);
        } else {
            exchange.answer(200, "", EMPTY);
        }
    }

    private void executionParameters(Exchange exchange, HttpMethod method) {
        if (!HttpMethod.GET.equals(method)) {
            exchange.answer(Problem.USE_GET);
        } else {
            exchange.answer(200, Exchange.JSON, settings.executionParameters.getBytes(StandardCharsets.US_ASCII));
        }
    }

    private void invoke(Exchange exchange, FullHttpRequest request) throws Exception {
        if (!HttpMethod.POST.equals(request.method())) {
            exchange.answer(Problem.USE_POST);
            return;
        }
        if (health.isDraining()) { // else a caller who keeps asking keeps the server from ending, and loses the last answer
            exchange.answer(Problem.NOT_READY);
            return;
        }
        int size = request.content().readableBytes();
        if (health.bytesInFlight() + size > settings.maxBytesInFlight) {
            exchange.answer(Problem.BUSY);
            return;
        }
        RequestInput input = new RequestInput(exchange.id);
        for (Map.Entry<String, String> header : request.headers()) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (name.equals("content-type") || name.equals("accept") || name.startsWith("x-amzn-sagemaker-")) {
                input.updateHeaders(name, header.getValue());
            }
        }
        input.addParameter(new InputParameter("body", ByteBufUtil.getBytes(request.content())));
        Invocation invocation = new Invocation(exchange, input, health, size);
        if (!ModelManager.getInstance().addJob(invocation)) {
            invocation.refuse(Problem.BUSY);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // A caller who hangs up in the middle is everyday life; anything else is worth a line. Either way only this connection ends.
        if (cause instanceof IOException || cause instanceof PrematureChannelClosureException) {
            LOG.debug("connection closed after {}", cause.toString());
        } else {
            LOG.error("connection closed after {}", cause.toString());
        }
        context.close();
    }
}
