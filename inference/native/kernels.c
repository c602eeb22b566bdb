/* The innermost loops of one request, on the arrays of a model as they lie in its files.

   Every place that an array names is checked before it is used: a model may come from anywhere, and a wrong one may fail, but not read or
   write what is not its own. Sums are added up in the order, and in the precision, in which numpy's `bincount` does it: compile without
   contraction to fused multiply-adds, and the results are the same to the last bit.

   Functions return what they found (0 or more), or one of these. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN -1 /* an id that the model does not have */
#define UNLIKE -2 /* the arguments are not what they should be */
#define BROKEN -3 /* an array names a place that there is not */
#define NO_ROOM -4 /* the caller's arrays are too short */

/* --- ids to numbers ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    const uint8_t *blob; /* the ids, end to end */
    const int64_t *offsets; /* n + 1 */
    const uint32_t *hashes; /* CRC-32 of the ids, ascending */
    const int32_t *order; /* the number of the id of each hash */
    int64_t n, bytes;
} Vocabulary;

static uint32_t table[256];

/* Makes the table. To be called before anything else. */
void prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t rest = i;
        for (int bit = 0; bit < 8; bit++)
            rest = rest & 1 ? 0xEDB88320u ^ (rest >> 1) : rest >> 1;
        table[i] = rest;
    }
}

static uint32_t crc32(const uint8_t *text, int64_t size)
{
    uint32_t sum = 0xFFFFFFFFu;
    for (int64_t i = 0; i < size; i++)
        sum = table[(sum ^ text[i]) & 0xFF] ^ (sum >> 8);
    return sum ^ 0xFFFFFFFFu;
}

#define TOGETHER 64 /* ids, whose searches wait for memory at the same time instead of one after the other */

typedef struct {
    const uint8_t *text;
    int64_t size, place;
    uint32_t hash;
} Id;

static int is_number(const Vocabulary *v, int64_t number) { return number >= 0 && number < v->n; }

/* Finds for each id the first place in the hashes that is not before its own, or the last place of all. */
static void search(const Vocabulary *v, Id *ids, int64_t count)
{
    for (int64_t left = v->n; left > 1; left -= left / 2)
        for (int64_t i = 0; i < count; i++)
            ids[i].place += (left / 2) & -(int64_t)(v->hashes[ids[i].place + left / 2 - 1] < ids[i].hash);
    for (int64_t i = 0; i < count; i++)
        __builtin_prefetch(v->order + ids[i].place);
    for (int64_t i = 0; i < count; i++)
        if (is_number(v, v->order[ids[i].place]))
            __builtin_prefetch(v->offsets + v->order[ids[i].place]);
    for (int64_t i = 0; i < count; i++)
        if (is_number(v, v->order[ids[i].place]))
            __builtin_prefetch(v->blob + v->offsets[v->order[ids[i].place]]);
}

static int64_t number_of(const Vocabulary *v, const Id *id)
{
    for (int64_t place = id->place; place < v->n && v->hashes[place] <= id->hash; place++) {
        if (v->hashes[place] < id->hash)
            continue;
        int64_t number = v->order[place];
        if (!is_number(v, number))
            return BROKEN;
        int64_t begin = v->offsets[number], end = v->offsets[number + 1];
        if (begin < 0 || end < begin || end > v->bytes)
            return BROKEN;
        if (end - begin == id->size && memcmp(v->blob + begin, id->text, (size_t)id->size) == 0)
            return number;
    }
    return UNKNOWN;
}

/* Writes the number of each of `count` ids to `numbers`, -1 where there is none. `text`: each id followed by a zero byte, `size` bytes in
   all; UNLIKE where that makes another count, since an id has such a byte itself. */
int64_t numbers_of(const Vocabulary *v, const uint8_t *text, int64_t size, int64_t count, int32_t *numbers)
{
    const uint8_t *end = text + size;
    Id ids[TOGETHER];
    for (int64_t done = 0; done < count || text < end;) {
        int64_t some = 0;
        for (; some < TOGETHER && text < end; some++) {
            const uint8_t *stop = memchr(text, 0, (size_t)(end - text));
            if (stop == NULL)
                return UNLIKE;
            ids[some] = (Id){text, stop - text, 0, crc32(text, stop - text)};
            text = stop + 1;
        }
        if (some == 0 || done + some > count)
            return UNLIKE;
        if (v->n > 0)
            search(v, ids, some);
        for (int64_t i = 0; i < some; i++) {
            int64_t number = number_of(v, &ids[i]);
            if (number == BROKEN)
                return BROKEN;
            numbers[done + i] = (int32_t)number;
        }
        done += some;
    }
    return count;
}

/* --- histories ----------------------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Adds up the weights of equal numbers, in their order; `weights` NULL: each is 1. Numbers below 0 are left out. Writes the distinct numbers,
   ascending, and their sums; `keys`: scratch. All have `count` places. Returns how many are distinct. */
int64_t add_up(const int32_t *numbers, const double *weights, int64_t count, uint64_t *keys, int32_t *distinct, double *sums)
{
    int64_t known = 0, found = 0;
    for (int64_t i = 0; i < count; i++)
        if (numbers[i] >= 0)
            keys[known++] = (uint64_t)numbers[i] << 32 | (uint64_t)i;
    qsort(keys, (size_t)known, sizeof *keys, by_value);
    for (int64_t i = 0; i < known; i++) {
        int32_t number = (int32_t)(keys[i] >> 32);
        if (found == 0 || distinct[found - 1] != number) {
            distinct[found] = number;
            sums[found++] = 0.0;
        }
        sums[found - 1] += weights == NULL ? 1.0 : weights[(uint32_t)keys[i]];
    }
    return found;
}

/* --- sparse rows --------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const int64_t *starts; /* rows + 1 */
    const int32_t *columns;
    const float *values;
    int64_t rows, entries, n_columns;
} Rows;

#define AHEAD 3 /* rows that are asked for before they are read */

static int is_row(const Rows *matrix, int64_t row, int64_t *begin, int64_t *end)
{
    if (row < 0 || row >= matrix->rows)
        return 0;
    *begin = matrix->starts[row];
    *end = matrix->starts[row + 1];
    return *begin >= 0 && *begin <= *end && *end <= matrix->entries;
}

static int is_in(int32_t at, int64_t count) { return (uint32_t)at < (uint64_t)count; }

/* Asks for the memory that a row is in, a line of 64 bytes after the other: rows lie far apart, and each would be waited for. */
static void fetch(const Rows *matrix, int32_t row)
{
    int64_t begin, end;
    if (!is_row(matrix, row, &begin, &end))
        return;
    for (int64_t k = begin; k < end; k += 16) {
        __builtin_prefetch(matrix->columns + k);
        __builtin_prefetch(matrix->values + k);
    }
}

#define SIEVE 4096 /* a column that is wanted has its place here, and hardly another one has the same */

/* Writes the dense block of some rows and some distinct columns to `out` (rows by columns), which is all 0. */
int64_t block(const Rows *matrix, const int32_t *rows, int64_t n_rows, const int64_t *columns, int64_t n_columns, double *out)
{
    uint16_t sieve[SIEVE] = {0};
    if (n_columns >= SIEVE)
        return UNLIKE;
    for (int64_t j = 0; j < n_columns; j++)
        sieve[columns[j] & (SIEVE - 1)] = (uint16_t)(j + 1);
    for (int64_t i = 0; i < n_rows; i++) {
        int64_t begin, end;
        if (!is_row(matrix, rows[i], &begin, &end))
            return BROKEN;
        if (i + AHEAD < n_rows)
            fetch(matrix, rows[i + AHEAD]);
        for (int64_t k = begin; k < end; k++) {
            int32_t column = matrix->columns[k];
            if (sieve[column & (SIEVE - 1)] == 0)
                continue;
            int64_t j = sieve[column & (SIEVE - 1)] - 1;
            if (columns[j] != column) /* two wanted ones may have one place */
                for (j = 0; j < n_columns && columns[j] != column;)
                    j++;
            if (j < n_columns)
                out[i * n_columns + j] = matrix->values[k];
        }
    }
    return n_columns;
}

/* --- ranking ------------------------------------------------------------------------------------------------------------------------- */

typedef struct { /* what is added up to scores */
    const Rows *matrix; /* songs as columns; NULL: popularity */
    const int32_t *rows;
    const double *weights; /* of the rows */
    int64_t n_rows;
    double weight; /* of all of it */
} Addend;

typedef struct {
    const float *popularity;
    const int32_t *order; /* the most popular song first */
    int64_t songs;
    double weight; /* of popularity */
} Popular;

/* Of one thread. `place`: one for each song; the upper half says in which request a song was last reached, the lower one where it is among
   its `numbers`: so nobody has to clear it. `shut`: one for each song, all 0. `numbers`, `scores`, `part`: as many as `room` says. */
typedef struct {
    uint64_t *place;
    uint8_t *shut;
    int32_t *numbers;
    double *scores, *part;
    int64_t room, songs;
    uint64_t request;
} Scratch;

static int is_reached(const Scratch *s, int32_t song) { return s->place[song] >> 32 == s->request; }

static void begin_request(Scratch *s)
{
    if (++s->request >> 32) {
        memset(s->place, 0, (size_t)s->songs * sizeof *s->place);
        s->request = 1;
    }
}

/* Returns how many entries the rows have. */
static int64_t entries_of(const Addend *one)
{
    int64_t begin, end, sum = 0;
    for (int64_t i = 0; i < one->n_rows; i++) {
        if (!is_row(one->matrix, one->rows[i], &begin, &end))
            return BROKEN;
        sum += end - begin;
    }
    return sum;
}

/* Adds the rows of one addend up in `part`. Songs that are new have had nothing but popularity, where that came before: `before` times it. */
static int64_t add_rows(const Addend *one, const Popular *popular, double before, Scratch *s, int64_t count)
{
    const Rows *matrix = one->matrix;
    int64_t known = count, most = entries_of(one);
    if (most < 0 || count + most > s->room)
        return most < 0 ? BROKEN : NO_ROOM;
    /* Said to be apart, so that they need not be read anew after each that is written. */
    const int32_t *restrict columns = matrix->columns;
    const float *restrict values = matrix->values;
    uint64_t *restrict place = s->place;
    int32_t *restrict numbers = s->numbers;
    double *restrict part = s->part;
    const uint64_t request = s->request;
    const int64_t songs = popular->songs;
    memset(part, 0, (size_t)(count + most) * sizeof(double));
    for (int64_t i = 0; i < one->n_rows; i++) {
        int64_t begin = matrix->starts[one->rows[i]], end = matrix->starts[one->rows[i] + 1];
        double weight = one->weights[i];
        if (i + AHEAD < one->n_rows)
            fetch(matrix, one->rows[i + AHEAD]);
        for (int64_t k = begin; k < end; k++) {
            int32_t song = columns[k];
            if (!is_in(song, songs))
                return BROKEN;
            /* Whether a song is new is as good as random, so nothing here branches on it. */
            int64_t is_new = place[song] >> 32 != request;
            int64_t at = ((int64_t)(uint32_t)place[song] & (is_new - 1)) | (count & -is_new);
            place[song] = request << 32 | (uint64_t)at;
            numbers[at] = song;
            part[at] += (double)values[k] * weight;
            count += is_new;
        }
    }
    for (int64_t i = known; i < count; i++)
        s->scores[i] = before > 0 ? before * (double)popular->popularity[numbers[i]] : 0.0;
    for (int64_t i = 0; i < count; i++)
        s->scores[i] += part[i] * one->weight;
    return count;
}

/* Writes the songs that have an entry in one of the rows to `numbers`, and what their `scores` add up to. Returns how many they are. */
static int64_t reach(const Addend *addends, int64_t n_addends, const Popular *popular, Scratch *s)
{
    int64_t count = 0;
    double before = 0.0;
    begin_request(s);
    for (int64_t i = 0; i < n_addends; i++) {
        if (addends[i].matrix != NULL) {
            count = add_rows(&addends[i], popular, before, s, count);
            if (count < 0)
                return count;
        } else {
            before = addends[i].weight;
            for (int64_t k = 0; k < count; k++)
                s->scores[k] += before * (double)popular->popularity[s->numbers[k]];
        }
    }
    return count;
}

/* The best songs so far, the worst of them on top. */
typedef struct {
    int64_t *numbers;
    double *scores;
    int64_t size, most;
} Best;

static int is_better(double score, int64_t number, double other, int64_t another)
{
    return score > other || (score == other && number < another);
}

static void sink(Best *best, int64_t at, double score, int64_t number)
{
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= best->size)
            break;
        if (child + 1 < best->size && is_better(best->scores[child], best->numbers[child], best->scores[child + 1], best->numbers[child + 1]))
            child++;
        if (!is_better(score, number, best->scores[child], best->numbers[child]))
            break;
        best->scores[at] = best->scores[child];
        best->numbers[at] = best->numbers[child];
        at = child;
    }
    best->scores[at] = score;
    best->numbers[at] = number;
}

static int would_enter(const Best *best, double score, int64_t number)
{
    return best->size < best->most || is_better(score, number, best->scores[0], best->numbers[0]);
}

static void enter(Best *best, double score, int64_t number)
{
    if (best->size < best->most) {
        int64_t at = best->size++;
        while (at > 0) {
            int64_t parent = (at - 1) / 2;
            if (!is_better(best->scores[parent], best->numbers[parent], score, number))
                break;
            best->scores[at] = best->scores[parent];
            best->numbers[at] = best->numbers[parent];
            at = parent;
        }
        best->scores[at] = score;
        best->numbers[at] = number;
    } else {
        sink(best, 0, score, number);
    }
}

static void sort(Best *best) /* the best first */
{
    int64_t all = best->size;
    while (best->size > 1) {
        double score = best->scores[0];
        int64_t number = best->numbers[0], last = --best->size;
        sink(best, 0, best->scores[last], best->numbers[last]);
        best->scores[last] = score;
        best->numbers[last] = number;
    }
    best->size = all;
}

static int is_allowed(const Scratch *s, const uint8_t *const *masks, int64_t n_masks, int64_t song)
{
    if (s->shut[song])
        return 0;
    for (int64_t i = 0; i < n_masks; i++)
        if (!masks[i][song])
            return 0;
    return 1;
}

static int choose(const Popular *popular, const uint8_t *const *masks, int64_t n_masks, const Scratch *s, int64_t count, Best *best)
{
    for (int64_t i = 0; i < count; i++)
        if (s->scores[i] > 0 && would_enter(best, s->scores[i], s->numbers[i]) && is_allowed(s, masks, n_masks, s->numbers[i]))
            enter(best, s->scores[i], s->numbers[i]);
    if (popular->weight > 0) /* songs that have nothing but their popularity to speak for them */
        for (int64_t i = 0; i < popular->songs; i++) {
            int32_t song = popular->order[i];
            if (!is_in(song, popular->songs))
                return BROKEN;
            double score = popular->weight * (double)popular->popularity[song];
            if (!(score > 0) || (best->size == best->most && score < best->scores[0]))
                break;
            if (would_enter(best, score, song) && !is_reached(s, song) && is_allowed(s, masks, n_masks, song))
                enter(best, score, song);
        }
    sort(best);
    return 0;
}

/* Writes the at most `most` songs of the highest scores above 0 to `numbers` and `scores`, best first, of equal ones the smaller number
   first; `count`: how many songs `s` has in the end. Neither one of `excluded` (-1 is no song), nor one that a mask shuts out (0). Returns how many. */
int64_t rank(const Addend *addends, int64_t n_addends, const Popular *popular, Scratch *s, const int32_t *excluded, int64_t n_excluded,
             const uint8_t *const *masks, int64_t n_masks, int64_t most, int64_t *numbers, double *scores, int64_t *count)
{
    Best best = {numbers, scores, 0, most};
    if (most < 1)
        return UNLIKE;
    for (int64_t i = 0; i < n_excluded; i++)
        if (excluded[i] < -1 || excluded[i] >= popular->songs)
            return BROKEN;
    *count = reach(addends, n_addends, popular, s);
    if (*count < 0)
        return *count;
    for (int64_t i = 0; i < n_excluded; i++)
        if (excluded[i] >= 0)
            s->shut[excluded[i]] = 1;
    int failed = choose(popular, masks, n_masks, s, *count, &best);
    for (int64_t i = 0; i < n_excluded; i++)
        if (excluded[i] >= 0)
            s->shut[excluded[i]] = 0;
    return failed ? failed : best.size;
}

typedef struct { /* an addend of many histories: those of one have their terms from one of `starts` to the next */
    const Rows *matrix;
    const int64_t *starts;
    const int32_t *rows;
    const double *weights;
    double weight;
} Addends;

#define MOST_ADDENDS 16

/* Does for each of many histories what `rank` does for one: `most` places of `numbers` and `scores` for each, of which `found` are filled. */
int64_t rank_each(const Addends *many, int64_t n_addends, const Popular *popular, Scratch *s, const int64_t *excluded_starts,
                  const int32_t *excluded, int64_t histories, int64_t most, int64_t *numbers, double *scores, int64_t *found)
{
    Addend addends[MOST_ADDENDS];
    int64_t count;
    if (n_addends > MOST_ADDENDS)
        return UNLIKE;
    for (int64_t h = 0; h < histories; h++) {
        for (int64_t i = 0; i < n_addends; i++) {
            int64_t begin = many[i].matrix == NULL ? 0 : many[i].starts[h], end = many[i].matrix == NULL ? 0 : many[i].starts[h + 1];
            addends[i] = (Addend){many[i].matrix, many[i].rows + begin, many[i].weights + begin, end - begin, many[i].weight};
        }
        found[h] = rank(addends, n_addends, popular, s, excluded + excluded_starts[h], excluded_starts[h + 1] - excluded_starts[h], NULL, 0,
                        most, numbers + h * most, scores + h * most, &count);
        if (found[h] < 0)
            return found[h];
    }
    return histories;
}
