package com.amazonaws.ml.mms.util.codec;

import com.amazonaws.ml.mms.util.messages.ModelWorkerResponse;
import com.amazonaws.ml.mms.util.messages.Predictions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.ReplayingDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import serving.Dispatcher;
import serving.Worker;

/**
 * Reads a worker's answer. It stands before the class of the same name in multi-model-server, which takes a frame that is cut inside the
 * header map or before the status for a broken one, and then kills the worker. Reading again from the start once more bytes are there is
 * what ReplayingDecoder does. The answers to requests go straight to where they are waited for.
 */
public class ModelResponseDecoder extends ReplayingDecoder<Void> {
    private static final int END = -1;

    private final int maxBytes;
    private Worker worker;

    public ModelResponseDecoder(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) throws Exception {
        super.handlerAdded(context);
        worker = Dispatcher.get().connected(context.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        worker.ended();
        super.channelInactive(context);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        ModelWorkerResponse response = new ModelWorkerResponse();
        response.setCode(in.readInt());
        response.setMessage(text(in, in.readInt()));
        List<Predictions> predictions = new ArrayList<>();
        for (int length = in.readInt(); length != END; length = in.readInt()) {
            predictions.add(prediction(in, length));
        }
        response.setPredictions(predictions);
        if (!worker.answered(response)) { // then it has loaded the model, which its thread in multi-model-server waits for
            out.add(response);
        }
    }

    private Predictions prediction(ByteBuf in, int idLength) {
        Predictions prediction = new Predictions();
        prediction.setRequestId(text(in, idLength));
        prediction.setContentType(text(in, in.readInt()));
        prediction.setStatusCode(in.readInt());
        prediction.setReasonPhrase(text(in, in.readInt()));
        Map<String, String> headers = new HashMap<>();
        for (int left = in.readInt(); left > 0; left--) {
            String name = text(in, in.readInt());
            headers.put(name, text(in, in.readInt()));
        }
        prediction.setHeaders(headers);
        prediction.setResp(bytes(in, in.readInt()));
        return prediction;
    }

    private String text(ByteBuf in, int length) {
        return new String(bytes(in, length), StandardCharsets.UTF_8);
    }

    private byte[] bytes(ByteBuf in, int length) {
        if (length < 0 || length > maxBytes) {
            throw new CorruptedFrameException("a worker's answer has a part of " + length + " bytes; the limit is " + maxBytes);
        }
        in.skipBytes(length);
        byte[] copy = new byte[length];
        in.getBytes(in.readerIndex() - length, copy);
        return copy;
    }
}
