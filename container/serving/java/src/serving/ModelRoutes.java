package serving;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** What a multi-model endpoint answers beside /ping: /models, /models/NAME. */
final class ModelRoutes {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,255}");
    private static final int DEFAULT_LIMIT = 100;
    private static final int WAITING = 100;

    private final Models models;
    private final Health health;
    private final ThreadPoolExecutor loading = threads("load", 1);
    private final ThreadPoolExecutor unloading = threads("unload", 4); // each may wait for a slow request

    ModelRoutes(Models models, Health health) {
        this.models = models;
        this.health = health;
    }

    /** /models */
    void all(Exchange exchange, FullHttpRequest request) {
        if (HttpMethod.GET.equals(request.method())) {
            list(exchange, new QueryStringDecoder(request.uri()));
        } else if (HttpMethod.POST.equals(request.method())) {
            load(exchange, request.content().toString(StandardCharsets.UTF_8));
        } else {
            exchange.answer(Problem.USE_GET_OR_POST);
        }
    }

    /** /models/NAME */
    void one(Exchange exchange, HttpMethod method, String name) {
        if (HttpMethod.GET.equals(method)) {
            LoadedModel model = models.get(name);
            if (model == null) {
                exchange.answer(Problem.NOT_LOADED);
            } else {
                exchange.answer(200, describe(model));
            }
        } else if (HttpMethod.DELETE.equals(method)) {
            work(unloading, exchange, () -> models.unload(name)
                    ? exchange.answer(200, new JsonObject())
                    : exchange.answer(Problem.NOT_LOADED));
        } else {
            exchange.answer(Problem.USE_GET_OR_DELETE);
        }
    }

    private void load(Exchange exchange, String body) {
        String name;
        String url;
        try {
            JsonObject wish = JsonParser.parseString(body).getAsJsonObject();
            name = text(wish.get("model_name"));
            url = text(wish.get("url"));
        } catch (RuntimeException malformed) {
            exchange.answer(Problem.BAD_LOAD);
            return;
        }
        if (!NAME.matcher(name).matches()) {
            exchange.answer(Problem.BAD_NAME);
            return;
        }
        work(loading, exchange, () -> {
            try {
                return exchange.answer(200, describe(models.load(name, url)));
            } catch (Models.Refusal refusal) {
                return exchange.refuse(refusal.status, refusal.code, refusal.getMessage());
            }
        });
    }

    /** The token of the next page is the last name of this one, so that nothing is skipped when models come and go in between. */
    private void list(Exchange exchange, QueryStringDecoder query) {
        int limit;
        String after;
        try {
            after = parameter(query, "next_page_token", "");
        } catch (IllegalArgumentException malformed) {
            exchange.answer(Problem.BAD_QUERY);
            return;
        }
        try {
            limit = Integer.parseInt(parameter(query, "limit", Integer.toString(DEFAULT_LIMIT)));
        } catch (NumberFormatException noNumber) {
            limit = 0;
        }
        if (limit < 1) {
            exchange.answer(Problem.BAD_LIMIT);
            return;
        }
        JsonArray page = new JsonArray();
        JsonObject answer = new JsonObject();
        String last = null;
        for (LoadedModel model : models.after(after)) {
            if (page.size() == limit) {
                answer.addProperty("nextPageToken", last);
                break;
            }
            page.add(describe(model));
            last = model.name;
        }
        answer.add("models", page);
        exchange.answer(200, answer);
    }

    private static String parameter(QueryStringDecoder query, String name, String otherwise) {
        return query.parameters().getOrDefault(name, Collections.singletonList(otherwise)).get(0);
    }

    private static JsonObject describe(LoadedModel model) {
        JsonObject out = new JsonObject();
        out.addProperty("modelName", model.name);
        out.addProperty("modelUrl", model.url);
        out.addProperty("modelVersion", model.version);
        out.addProperty("bytes", model.bytes);
        return out;
    }

    private static String text(JsonElement element) {
        if (!element.getAsJsonPrimitive().isString()) {
            throw new IllegalArgumentException("not a string");
        }
        return element.getAsString();
    }

    // --- work that takes a while ------------------------------------------------------------------------------------------------------

    private interface Work {
        ChannelFuture run() throws InterruptedException;
    }

    /** Does the work elsewhere: the thread of the connection serves others, pings among them. The server does not stop before it is done. */
    private void work(ThreadPoolExecutor threads, Exchange exchange, Work work) {
        if (health.isDraining()) {
            exchange.answer(Problem.NOT_READY);
            return;
        }
        health.requestStarted();
        try {
            threads.execute(() -> {
                ChannelFuture written;
                try {
                    written = work.run();
                } catch (InterruptedException stopped) {
                    written = exchange.answer(Problem.NOT_READY);
                }
                written.addListener(future -> health.requestEnded(0));
            });
        } catch (RejectedExecutionException full) {
            health.requestEnded(0);
            exchange.answer(Problem.BUSY);
        }
    }

    private static ThreadPoolExecutor threads(String name, int count) {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                count, count, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WAITING), task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }
}
