package serving;

import com.google.gson.JsonObject;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** One request and its answer. The connection reads no further until the answer is written, so answers never change their order. */
final class Exchange {
    static final String JSON = "application/json";
    private static final int LINGER_SECONDS = 5;

    final String id = UUID.randomUUID().toString();
    /** Our own name for the path, so that no text of the caller gets into the log. */
    final String route;
    final Caller caller;
    /** The size of the body; -1 where it was not received. */
    final int bytesIn;
    /** How many of them count as being on their way. */
    int held;
    /** Of the model that is asked, once that is known. */
    String modelVersion;
    /** Nanoseconds in the queue; -1 before a worker takes it. */
    volatile long waited = -1;
    /** How many requests a worker was given at once, with this one. */
    volatile int together;
    /** What the worker has to say for the log: the inside of a JSON object. */
    String account;
    /** The code of an error that this front makes. */
    String error;
    /** Why the worker's answer never came. */
    String lost;
    private final ChannelHandlerContext context;
    private final Journal journal;
    /** Whether another request may follow on this connection. */
    final boolean keepAlive;
    private final long start = System.nanoTime();

    Exchange(ChannelHandlerContext context, HttpRequest request, String route, Journal journal) {
        this.context = context;
        this.route = route;
        this.journal = journal;
        this.caller = new Caller(request.headers());
        this.keepAlive = request.decoderResult().isSuccess() && HttpUtil.isKeepAlive(request);
        this.bytesIn = request instanceof FullHttpRequest ? ((FullHttpRequest) request).content().readableBytes() : -1;
    }

    /** Returns the exchange with a caller whose request cannot be read; the connection ends with the answer. */
    static Exchange withNobody(ChannelHandlerContext context, Journal journal) {
        return new Exchange(context, new DefaultHttpRequest(HttpVersion.HTTP_1_0, HttpMethod.GET, "/"), "unknown", journal);
    }

    /** Returns how long this has taken so far. */
    long nanoseconds() {
        return System.nanoTime() - start;
    }

    boolean isSilent() {
        return route.equals("ping") || route.equals("metrics");
    }

    ChannelFuture answer(Problem problem) {
        return refuse(problem.status, problem.code, problem.sentence);
    }

    ChannelFuture refuse(int status, String code, String message) {
        error = code;
        return answer(status, Problem.json(code, message, id));
    }

    ChannelFuture answer(int status, JsonObject body) {
        return answer(status, JSON, bytes(body));
    }

    static byte[] bytes(JsonObject body) {
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Returns an error that somebody else will write. */
    FullHttpResponse response(Problem problem) {
        error = problem.code;
        return response(problem.status, JSON, bytes(Problem.json(problem.code, problem.sentence, id)));
    }

    /** Makes the one answer, and counts and logs it. */
    private FullHttpResponse response(int status, CharSequence contentType, byte[] body) {
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), Unpooled.wrappedBuffer(body));
        if (body.length > 0) {
            response.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        }
        response.headers().set("x-request-id", id);
        HttpUtil.setContentLength(response, body.length);
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
        journal.answered(this, status, body.length);
        return response;
    }

    /** Writes the answer. May be called from any thread. */
    ChannelFuture answer(int status, CharSequence contentType, byte[] body) {
        FullHttpResponse response = response(status, contentType, body);
        ChannelPromise written = context.newPromise();
        if (!keepAlive) {
            written.addListener(future -> closeGently());
        }
        // Both in one step of the event loop: were reading allowed before the answer is written, the next answer could overtake it.
        Runnable write = () -> {
            context.writeAndFlush(response, written);
            Patience.ended(context.pipeline());
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
}
