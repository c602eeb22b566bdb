package serving;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** How long a connection may say nothing, and how long a request may take to arrive. Stands before all that reads HTTP. */
final class Patience extends ChannelInboundHandlerAdapter {
    private static final int IDLE_SECONDS = 65; // longer than the platform's own timeout for a request, so that we never hang up first

    private final int arrivalSeconds;
    private final Journal journal;
    private ChannelHandlerContext context;
    private ScheduledFuture<?> timer;
    private boolean receiving; // a request has begun, and is not there yet
    private boolean working; // on a request that is there

    Patience(int arrivalSeconds, Journal journal) {
        this.arrivalSeconds = arrivalSeconds;
        this.journal = journal;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        wait(IDLE_SECONDS);
        active.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        stop();
        inactive.fireChannelInactive();
    }

    @Override
    public void channelRead(ChannelHandlerContext reading, Object bytes) {
        if (!receiving && !working) {
            receiving = true;
            wait(arrivalSeconds);
        }
        reading.fireChannelRead(bytes);
    }

    /** A whole request is there: from now on it is our time. Called in the event loop, as the others. */
    static void begun(ChannelPipeline pipeline) {
        Patience patience = pipeline.get(Patience.class); // null once the connection is closed
        if (patience != null) {
            patience.stop();
            patience.receiving = false;
            patience.working = true;
        }
    }

    /** It is answered. */
    static void ended(ChannelPipeline pipeline) {
        Patience patience = pipeline.get(Patience.class);
        if (patience != null) {
            patience.receiving = false;
            patience.working = false;
            patience.wait(IDLE_SECONDS);
        }
    }

    private void wait(int seconds) {
        stop();
        if (!context.channel().isActive()) {
            return;
        }
        timer = context.executor().schedule(this::end, seconds, TimeUnit.SECONDS);
    }

    private void stop() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void end() {
        if (receiving && !context.pipeline().get(BodyCollector.class).hasAnswered()) {
            Exchange.withNobody(context.pipeline().lastContext(), journal).answer(Problem.TOO_SLOW);
        } else {
            context.close();
        }
    }
}
