package com.amazonaws.ml.mms.util;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;

/**
 * The threads that read and write. The connections of callers and those of workers share them, so that a request need not be handed from
 * one thread to another. It stands before the class of the same name in multi-model-server.
 */
public class ServerGroups {
    private final EventLoopGroup accepting = Connector.newEventLoopGroup(1);
    private final EventLoopGroup working;

    public ServerGroups(ConfigManager config) {
        working = Connector.newEventLoopGroup(config.getNettyThreads());
    }

    public EventLoopGroup getServerGroup() {
        return accepting;
    }

    public EventLoopGroup getChildGroup() {
        return working;
    }

    public EventLoopGroup getBackendGroup() {
        return working;
    }

    /** Nobody asks what is registered: this server ends with its process. */
    public void registerChannel(Channel channel) {}

    public void shutdown(boolean graceful) {
        accepting.shutdownGracefully();
        working.shutdownGracefully();
    }
}
