package serving;

import com.google.gson.JsonObject;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One request and its answer. The connection reads no further until the answer is written, so answers never change their order. */
final class Exchange {
    static final String JSON = "application/json";
    private static final int LINGER_SECONDS = 5;
    private static final Logger LOG = LoggerFactory.getLogger("serving.request");

    final String id = UUID.randomUUID().toString();
    private final ChannelHandlerContext context;
    private final String route;
    private final Caller caller;
    private final boolean keepAlive;
    private final long start = System.nanoTime();
    private String modelVersion; // of the model that is asked, once that is known

    /** Makes the exchange; {@code route} is our own name for the path, so that no text of the caller gets into the log. */
    Exchange(ChannelHandlerContext context, HttpRequest request, String route) {
        this.context = context;
        this.route = route;
        this.caller = new Caller(request.headers());
        this.keepAlive = request.decoderResult().isSuccess() && HttpUtil.isKeepAlive(request);
    }

    /** Says whose answer this will be: it goes into the attributes, errors included. */
    void setModelVersion(String version) {
        modelVersion = version;
    }

    ChannelFuture answer(Problem problem) {
        return answer(problem.status, problem.body(id));
    }

    ChannelFuture answer(int status, JsonObject body) {
        return answer(status, JSON, bytes(body));
    }

    static byte[] bytes(JsonObject body) {
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Writes the answer and its log line. May be called from any thread. */
    ChannelFuture answer(int status, CharSequence contentType, byte[] body) {
        FullHttpResponse response = response(HttpResponseStatus.valueOf(status), contentType, body, id);
        HttpUtil.setKeepAlive(response, keepAlive);
        if (modelVersion != null) {
            response.headers().set(Caller.ATTRIBUTES, caller.answer(modelVersion));
        }
        if (caller.inferenceId != null) {
            response.headers().set(Caller.INFERENCE_ID, caller.inferenceId);
        }
        if (status == 429 || status == 503) {
            response.headers().set(HttpHeaderNames.RETRY_AFTER, 1);
        }
        log(status, body.length);
        ChannelPromise written = context.newPromise();
        if (!keepAlive) {
            written.addListener(future -> closeGently());
        }
        // Both in one step of the event loop: were reading allowed before the answer is written, the next answer could overtake it.
        Runnable write = () -> {
            context.writeAndFlush(response, written);
            context.channel().config().setAutoRead(true);
        };
        if (context.executor().inEventLoop()) {
            write.run();
        } else {
            context.executor().execute(write);
        }
        return written;
    }

    /** Sends the end, and reads and drops what the caller still sends: closing at once would make his system throw the answer away. */
    private void closeGently() {
        ((DuplexChannel) context.channel()).shutdownOutput();
        context.executor().schedule(() -> context.close(), LINGER_SECONDS, TimeUnit.SECONDS);
    }

    private void log(int status, int bytes) {
        if (!route.equals("ping")) {
            double milliseconds = (System.nanoTime() - start) / 1e6;
            LOG.info("request id={} route={} status={} ms={} bytes={}{}", id, route, status,
                    String.format(Locale.ROOT, "%.1f", milliseconds), bytes, caller.logged());
        }
    }

    static FullHttpResponse response(HttpResponseStatus status, CharSequence contentType, byte[] body, String id) {
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(body));
        if (body.length > 0) {
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        }
        response.headers().set("x-request-id", id);
        HttpUtil.setContentLength(response, body.length);
        return response;
    }
}
