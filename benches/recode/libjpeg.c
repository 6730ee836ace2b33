/* libjpeg's way to change the Huffman tables of a JPEG file: all coefficients are read, then written.
 *
 *     libjpeg optimise IN OUT        writes IN with the best tables for it
 *     libjpeg transcode IN OUT       writes IN with Annex K's tables, once; then, for each line of its input, once more in
 *                                    memory, and prints the nanoseconds of CPU that this took */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

static unsigned char *read_file(const char *path, unsigned long *octets) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        perror(path);
        exit(1);
    }
    *octets = ftell(file);
    rewind(file);
    unsigned char *data = malloc(*octets);
    if (!data || fread(data, 1, *octets, file) != *octets) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return data;
}

static void transcode(const unsigned char *data, unsigned long octets, boolean optimise, unsigned char **out,
                      unsigned long *out_octets) {
    struct jpeg_decompress_struct from;
    struct jpeg_compress_struct to;
    struct jpeg_error_mgr errors;
    from.err = to.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&from);
    jpeg_create_compress(&to);
    jpeg_mem_src(&from, data, octets);
    jpeg_mem_dest(&to, out, out_octets);
    jpeg_read_header(&from, TRUE);
    jvirt_barray_ptr *coefficients = jpeg_read_coefficients(&from);
    jpeg_copy_critical_parameters(&from, &to);
    to.optimize_coding = optimise;
    to.restart_interval = from.restart_interval;
    jpeg_write_coefficients(&to, coefficients);
    jpeg_finish_compress(&to);
    jpeg_finish_decompress(&from);
    jpeg_destroy_compress(&to);
    jpeg_destroy_decompress(&from);
}

static long long cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s optimise|transcode IN OUT\n", argv[0]);
        return 2;
    }
    boolean optimise = !strcmp(argv[1], "optimise");
    unsigned long octets, out_octets = 0;
    unsigned char *data = read_file(argv[2], &octets), *out = NULL;
    transcode(data, octets, optimise, &out, &out_octets);
    FILE *file = fopen(argv[3], "wb");
    if (!file || fwrite(out, 1, out_octets, file) != out_octets || fclose(file)) {
        perror(argv[3]);
        return 1;
    }
    for (char line[16]; !optimise && fgets(line, sizeof line, stdin);) {
        long long start = cpu();
        /* The buffer is used again. */
        transcode(data, octets, FALSE, &out, &out_octets);
        printf("%lld\n", cpu() - start);
        fflush(stdout);
    }
    return 0;
}
