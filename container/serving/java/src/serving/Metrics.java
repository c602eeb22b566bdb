package serving;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The text of Prometheus: what this front has counted, and what other processes have in their files. How these lie, and the names of all that
 * is counted, is said in container/serving/metrics.py; only what the front counts itself is named in Java, too.
 */
final class Metrics {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
    // Before a sample: print how long ago it was; add what was printed for the sample before.
    private static final char MOMENT = '~';
    private static final char CUMULATIVE = '+';

    private final Path directory;
    private final List<String> lines;
    private final Map<String, Integer> places = new HashMap<>();
    private final double[] own;
    private final Map<Path, DoubleBuffer> files = new HashMap<>();
    private final Histogram duration;
    private final Histogram queue;

    Metrics(Path directory) throws IOException {
        this.directory = directory;
        lines = Files.readAllLines(directory.resolve("template"), StandardCharsets.UTF_8);
        for (String line : lines) {
            if (!line.startsWith("#")) {
                places.put(name(line), places.size());
            }
        }
        own = new double[places.size()];
        duration = new Histogram("recommender_request_duration_seconds", "");
        queue = new Histogram("recommender_request_part_seconds", "part=\"queue\",");
    }

    /** Counts an answer of any route. */
    synchronized void answered(String route, int status) {
        String name = "recommender_requests_total{route=\"" + route + "\",status=\"";
        Integer place = places.get(name + status + "\"}");
        own[place == null ? places.get(name + "other\"}") : place]++;
    }

    /** Counts what a worker was to answer: how long it took in all, and how long of that it waited for one. */
    synchronized void invoked(long nanoseconds, long waited) {
        duration.observe(nanoseconds / 1e9);
        queue.observe(waited / 1e9);
    }

    /** Sets what is so at the moment; a sample that is not printed here is passed over. */
    synchronized void set(String sample, double value) {
        Integer place = places.get(sample);
        if (place != null) {
            own[place] = value;
        }
    }

    /** Returns the text. Asks no other process. */
    synchronized String text() throws IOException {
        mapNewFiles();
        double now = System.currentTimeMillis() / 1e3;
        StringBuilder text = new StringBuilder(32_768);
        int place = 0;
        double value = 0;
        for (String line : lines) {
            if (line.startsWith("#")) {
                text.append(line).append('\n');
                continue;
            }
            double sum = sum(place++);
            if (line.charAt(0) == MOMENT && sum == 0) { // it was not set
                continue;
            }
            value = line.charAt(0) == MOMENT ? Math.max(now - sum, 0) : line.charAt(0) == CUMULATIVE ? sum + value : sum;
            text.append(name(line)).append(' ').append(number(value)).append('\n');
        }
        return text.toString();
    }

    private static String name(String line) {
        return line.charAt(0) == MOMENT || line.charAt(0) == CUMULATIVE ? line.substring(1) : line;
    }

    /** Returns the sum of a sample over all processes. */
    synchronized double total(String sample) throws IOException {
        mapNewFiles();
        return sum(places.get(sample));
    }

    private double sum(int place) {
        double sum = own[place];
        for (DoubleBuffer file : files.values()) {
            sum += file.get(place);
        }
        return sum;
    }

    /** A file is there for ever: who starts counts on in that of one who died. */
    private void mapNewFiles() throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "counts.*")) {
            for (Path path : found) {
                if (!files.containsKey(path) && Files.size(path) == 8L * own.length) { // else it is being made
                    try (FileChannel channel = FileChannel.open(path)) {
                        files.put(path, channel.map(FileChannel.MapMode.READ_ONLY, 0, 8L * own.length)
                                .order(ByteOrder.nativeOrder()).asDoubleBuffer());
                    }
                }
            }
        }
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value) : Double.toString(value);
    }

    /** Its buckets lie side by side in the order of their bounds, then come the count and the sum. */
    private final class Histogram {
        private final int first;
        private final List<Double> bounds = new ArrayList<>();

        Histogram(String name, String labels) {
            String start = name + "_bucket{" + labels + "le=\"";
            int smallest = own.length;
            for (String line : lines) {
                String sample = name(line);
                if (sample.startsWith(start)) {
                    smallest = Math.min(smallest, places.get(sample));
                    String bound = sample.substring(start.length(), sample.lastIndexOf('"'));
                    bounds.add(bound.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(bound));
                }
            }
            first = smallest;
        }

        void observe(double value) {
            int bucket = 0;
            while (value > bounds.get(bucket)) { // the last one is infinite
                bucket++;
            }
            own[first + bucket]++;
            own[first + bounds.size() + 1] += value; // behind the count
        }
    }
}
