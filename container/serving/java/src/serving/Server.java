package serving;

import com.amazonaws.ml.mms.ModelServer;
import com.amazonaws.ml.mms.util.ConfigManager;
import com.amazonaws.ml.mms.util.Connector;
import com.amazonaws.ml.mms.util.ConnectorType;
import com.amazonaws.ml.mms.wlm.Model;
import com.amazonaws.ml.mms.wlm.ModelManager;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.Slf4JLoggerFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * multi-model-server with a front of our own: its workers and protocol stay, its HTTP routes and its queue do not.
 *
 * <p>So there is no management API on any address, a ping tells the truth, and every error has the same JSON body. The one argument is
 * the properties file; "serving_host" and "serving_port" in it are ours.
 */
public final class Server extends ModelServer {
    static final String MODEL = "model";
    private static final long LOOK_MILLISECONDS = 500;
    private static final int ARRIVAL_SECONDS = 10; // for the headers; the body may take as long as the work on it
    private static final Logger LOG = LoggerFactory.getLogger("serving");

    private final Settings settings;
    private final Health health;
    private final Models models;
    private final ModelRoutes modelRoutes;
    private final Dispatcher dispatcher;
    private final Journal journal;

    private Server(Settings settings, Health health, Metrics metrics) {
        super(ConfigManager.getInstance());
        this.settings = settings;
        this.health = health;
        models = settings.models == null ? null : new Models(settings);
        modelRoutes = new ModelRoutes(models, health);
        dispatcher = new Dispatcher(settings);
        journal = new Journal(metrics, settings.jsonLog);
    }

    public static void main(String[] args) {
        try {
            ConfigManager.Arguments arguments = new ConfigManager.Arguments();
            arguments.setMmsConfigFile(args[0]);
            ConfigManager.init(arguments);
            InternalLoggerFactory.setDefaultFactory(Slf4JLoggerFactory.INSTANCE);
            Settings settings = new Settings(ConfigManager.getInstance());
            Health health = new Health(settings.workers);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(health, settings.drainSeconds), "drain"));
            new Server(settings, health, new Metrics(settings.metrics)).serve();
        } catch (Throwable problem) {
            LOG.error("the server cannot start: {}", problem.toString());
        }
        System.exit(1);
    }

    /** Serves until the parent of the workers ends, which it does not by itself: without it no lost worker can be replaced. */
    private void serve() throws Exception {
        start();
        Model model = ModelManager.getInstance().getModels().get(MODEL);
        if (model == null) {
            throw new IllegalStateException("the workers did not start");
        }
        Process parent = model.getServerThread().getLifeCycle().getProcess();
        journal.metrics.text(); // so that the first scrape finds its classes loaded
        int replaced = 0;
        while (!parent.waitFor(LOOK_MILLISECONDS, TimeUnit.MILLISECONDS)) {
            int before = replaced;
            replaced = (int) journal.metrics.total("recommender_worker_restarts_total");
            health.replaced(replaced - before);
        }
        if (!health.isDraining()) {
            LOG.error("the parent of the workers ended with exit code {}", parent.exitValue());
        }
    }

    /** Called once by start(), since both addresses in the properties are the same; neither is ever bound. */
    @Override
    public ChannelFuture initializeServer(Connector connector, EventLoopGroup accepting, EventLoopGroup working, ConnectorType type)
            throws InterruptedException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(accepting, working)
                .channel(connector.getServerChannel())
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(
                                new Patience(ARRIVAL_SECONDS + settings.timeoutSeconds, journal), new HttpServerCodec(),
                                new BodyCollector(settings, health, journal), new FlowControlHandler(),
                                new Routes(settings, health, models, modelRoutes, dispatcher, journal));
                    }
                });
        return bootstrap.bind(new InetSocketAddress(settings.host, settings.port)).sync().channel().closeFuture();
    }

    /** Runs on SIGTERM: unhealthy at once, then waits until every request has its answer, at most so many seconds. */
    private static void drain(Health health, int seconds) {
        health.startDraining();
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        try {
            while (health.requestsInFlight() > 0 && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
            ModelManager manager = ModelManager.getInstance();
            Model model = manager == null ? null : manager.getModels().get(MODEL);
            if (model != null && model.getServerThread() != null) {
                model.getServerThread().getLifeCycle().exit();
            }
        } catch (InterruptedException ignored) {
            Thread.currentThread().interrupt();
        }
    }
}
