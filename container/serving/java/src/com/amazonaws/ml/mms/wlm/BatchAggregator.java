package com.amazonaws.ml.mms.wlm;

import com.amazonaws.ml.mms.util.messages.BaseModelRequest;
import com.amazonaws.ml.mms.util.messages.ModelLoadModelRequest;
import com.amazonaws.ml.mms.util.messages.ModelWorkerResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.HashMap;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import serving.Dispatcher;

/**
 * What the thread of a worker is to send it: the order to load the model, and then nothing any more, for requests come from the {@link
 * Dispatcher}. It stands before the class of the same name in multi-model-server.
 */
public class BatchAggregator {
    private static final Logger LOG = LoggerFactory.getLogger(BatchAggregator.class);

    private final Model model;

    public BatchAggregator(Model model) {
        this.model = model;
    }

    /** Returns the order to load, once; then waits until the thread is interrupted, which it is when the connection ends. */
    public BaseModelRequest getRequest(String connection, WorkerState state) throws InterruptedException {
        if (state == WorkerState.WORKER_MODEL_LOADED) {
            Dispatcher.get().ready(connection);
            new CountDownLatch(1).await();
        }
        model.pollBatch(connection, Long.MAX_VALUE, new HashMap<>()); // the thread has put it there itself
        return new ModelLoadModelRequest(model, -1, connection);
    }

    /** Takes the answer to the order. */
    public void sendResponse(ModelWorkerResponse response) {
        LOG.debug("a worker has answered {}", response.getMessage());
    }

    /** The worker was lost before it had loaded the model. */
    public void sendError(BaseModelRequest order, String error, HttpResponseStatus status) {
        LOG.warn("a worker was lost while it loaded: {}", error);
    }
}
