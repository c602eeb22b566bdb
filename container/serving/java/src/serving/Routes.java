package serving;

import com.amazonaws.ml.mms.util.messages.InputParameter;
import com.amazonaws.ml.mms.util.messages.RequestInput;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The public paths: /ping, /metrics, /invocations and /execution-parameters; on a multi-model endpoint /models and what is below it, too. */
final class Routes extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger("serving");
    private static final byte[] EMPTY = {};
    private static final String MODEL_HEADER = "serving-model"; // to the worker; nobody else can set it

    private final Settings settings;
    private final Health health;
    private final Models models; // null where the endpoint has one model only
    private final ModelRoutes modelRoutes;
    private final Dispatcher dispatcher;
    private final Journal journal;
    private boolean ended; // the connection ends with the answer to the last request: whatever follows it is none

    Routes(Settings settings, Health health, Models models, ModelRoutes modelRoutes, Dispatcher dispatcher, Journal journal) {
        this.settings = settings;
        this.health = health;
        this.models = models;
        this.modelRoutes = modelRoutes;
        this.dispatcher = dispatcher;
        this.journal = journal;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) throws Exception {
        if (ended) {
            return;
        }
        context.channel().config().setAutoRead(false);
        Patience.begun(context.pipeline());
        if (request.decoderResult().isFailure()) {
            exchange(context, request, "unknown").answer(Problem.BAD_HTTP);
            return;
        }
        String path = request.uri().split("\\?", 2)[0];
        switch (path) {
            case "/ping":
                ping(exchange(context, request, "ping"), request.method());
                break;
            case "/metrics":
                metrics(exchange(context, request, "metrics"), request.method());
                break;
            case "/invocations":
                invocations(exchange(context, request, "invocations"), request);
                break;
            case "/execution-parameters":
                executionParameters(exchange(context, request, "execution-parameters"), request.method());
                break;
            default:
                if (models == null || !models(context, request, path.split("/", -1))) {
                    exchange(context, request, "unknown").answer(Problem.NOT_FOUND);
                }
        }
    }

    private Exchange exchange(ChannelHandlerContext context, FullHttpRequest request, String route) {
        Exchange exchange = new Exchange(context, request, route, journal);
        ended = !exchange.keepAlive;
        exchange.held = context.pipeline().get(BodyCollector.class).take(exchange.bytesIn);
        if (!route.startsWith("invo")) { // what is asked of a worker is held until its end
            letGo(exchange);
        }
        return exchange;
    }

    private void letGo(Exchange exchange) {
        health.received(-exchange.held);
        exchange.held = 0;
    }

    private void refuse(Exchange exchange, Problem problem) {
        letGo(exchange);
        exchange.answer(problem);
    }

    /** Answers /models, /models/NAME and /models/NAME/invoke. Returns false for any other path. */
    private boolean models(ChannelHandlerContext context, FullHttpRequest request, String[] parts) throws Exception {
        boolean below = parts.length > 1 && parts[0].isEmpty() && parts[1].equals("models");
        if (below && parts.length == 2) {
            modelRoutes.all(exchange(context, request, "models"), request);
        } else if (below && parts.length == 3) {
            modelRoutes.one(exchange(context, request, "model"), request.method(), parts[2]);
        } else if (below && parts.length == 4 && parts[3].equals("invoke")) {
            invoke(exchange(context, request, "invoke"), request, parts[2]);
        } else {
            return false;
        }
        return true;
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

    private void metrics(Exchange exchange, HttpMethod method) throws IOException {
        if (!HttpMethod.GET.equals(method)) {
            exchange.answer(Problem.USE_GET);
            return;
        }
        journal.metrics.set("recommender_requests_in_flight", health.requestsInFlight());
        journal.metrics.set("recommender_queue_length", health.requestsWaiting());
        journal.metrics.set("recommender_workers_ready", health.loadedWorkers());
        journal.metrics.set("recommender_models_loaded", models == null ? 0 : models.size());
        exchange.answer(200, Metrics.CONTENT_TYPE, journal.metrics.text().getBytes(StandardCharsets.UTF_8));
    }

    private void executionParameters(Exchange exchange, HttpMethod method) {
        if (!HttpMethod.GET.equals(method)) {
            exchange.answer(Problem.USE_GET);
        } else {
            exchange.answer(200, Exchange.JSON, settings.executionParameters.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** Invokes the one model; on a multi-model endpoint that of the header, as a caller outside SageMaker has no other word for it. */
    private void invocations(Exchange exchange, FullHttpRequest request) throws Exception {
        String target = request.headers().get(Caller.TARGET_MODEL);
        if (models == null && target != null) {
            refuse(exchange, Problem.ONE_MODEL);
        } else if (models != null && target == null) {
            refuse(exchange, Problem.NO_TARGET);
        } else {
            invoke(exchange, request, target);
        }
    }

    private void invoke(Exchange exchange, FullHttpRequest request, String name) throws Exception {
        if (!HttpMethod.POST.equals(request.method())) {
            refuse(exchange, Problem.USE_POST);
            return;
        }
        if (health.isDraining()) { // else a caller who keeps asking keeps the server from ending, and loses the last answer
            refuse(exchange, Problem.NOT_READY);
            return;
        }
        LoadedModel model = name == null ? null : models.get(name);
        if (name != null && (model == null || !model.enter())) {
            refuse(exchange, Problem.NOT_LOADED);
            return;
        }
        exchange.modelVersion = model == null ? settings.modelVersion : model.version;
        RequestInput input = new RequestInput(exchange.id);
        if (model != null) {
            input.updateHeaders(MODEL_HEADER, model.marker.getFileName().toString());
        }
        for (Map.Entry<String, String> header : request.headers()) {
            String key = header.getKey().toLowerCase(Locale.ROOT);
            if (key.equals("content-type") || key.equals("accept")) {
                input.updateHeaders(key, header.getValue());
            }
        }
        input.addParameter(new InputParameter("body", ByteBufUtil.getBytes(request.content())));
        Invocation invocation = new Invocation(exchange, input, health, journal.metrics, model);
        if (!dispatcher.offer(invocation)) {
            invocation.refuse(Problem.BUSY);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // A caller who hangs up in the middle is everyday life; anything else is worth a line. Either way only this connection ends.
        if (cause instanceof IOException || cause instanceof PrematureChannelClosureException) {
            LOG.debug("connection closed after {}", cause.toString());
        } else if (cause instanceof DecoderException) { // netty's decoder does not foresee chunks of negative sizes
            LOG.debug("what is no HTTP was refused after {}", cause.toString());
            if (!ended && !context.pipeline().get(BodyCollector.class).hasAnswered()) {
                ended = true;
                Exchange.withNobody(context, journal).answer(Problem.BAD_HTTP);
                return;
            }
        } else {
            LOG.error("connection closed after {}", cause.toString());
        }
        context.close();
    }
}
