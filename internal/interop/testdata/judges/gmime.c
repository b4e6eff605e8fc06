/* GMime. */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void quote(const char *s, size_t n) {
	putchar('"');
	for (size_t i = 0; i < n; i++)
		printf("\\u%04x", (unsigned char)s[i]);
	putchar('"');
}

/* find returns the first part that is text. */
static GMimePart *find(GMimeObject *o) {
	if (GMIME_IS_MULTIPART(o)) {
		GMimeMultipart *m = (GMimeMultipart *)o;
		for (int i = 0; i < g_mime_multipart_get_count(m); i++) {
			GMimePart *p = find(g_mime_multipart_get_part(m, i));
			if (p)
				return p;
		}
		return NULL;
	}
	if (GMIME_IS_MESSAGE_PART(o)) {
		GMimeMessage *m = g_mime_message_part_get_message((GMimeMessagePart *)o);
		return m ? find(g_mime_message_get_mime_part(m)) : NULL;
	}
	if (GMIME_IS_PART(o) && g_mime_content_type_is_type(g_mime_object_get_content_type(o), "text", "*"))
		return (GMimePart *)o;
	return NULL;
}

static void addresses(InternetAddressList *list, int *n) {
	for (int i = 0; list && i < internet_address_list_length(list); i++) {
		InternetAddress *a = internet_address_list_get_address(list, i);
		if (INTERNET_ADDRESS_IS_GROUP(a)) {
			addresses(internet_address_group_get_members((InternetAddressGroup *)a), n);
			continue;
		}
		const char *addr = internet_address_mailbox_get_addr((InternetAddressMailbox *)a);
		if (!addr)
			continue;
		if ((*n)++)
			putchar(',');
		quote(addr, strlen(addr));
	}
}

int main(void) {
	char line[64];
	g_mime_init();
	while (fgets(line, sizeof line, stdin)) {
		size_t len = strtoul(line, NULL, 10);
		char *raw = malloc(len + 1);
		if (fread(raw, 1, len, stdin) != len)
			return 1;
		GMimeStream *s = g_mime_stream_mem_new_with_buffer(raw, len);
		GMimeParser *p = g_mime_parser_new_with_stream(s);
		GMimeMessage *m = g_mime_parser_construct_message(p, NULL);
		printf("{\"text\":");
		GMimePart *part = m && g_mime_message_get_mime_part(m) ? find(g_mime_message_get_mime_part(m)) : NULL;
		GMimeDataWrapper *w = part ? g_mime_part_get_content(part) : NULL;
		if (w) {
			GMimeStream *out = g_mime_stream_mem_new();
			g_mime_data_wrapper_write_to_stream(w, out);
			GByteArray *b = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)out);
			quote((char *)b->data, b->len);
			g_object_unref(out);
		} else
			printf("null");
		printf(",\"from\":[");
		int n = 0;
		if (m)
			addresses(g_mime_message_get_from(m), &n);
		printf("]}\n");
		if (m)
			g_object_unref(m);
		g_object_unref(p);
		g_object_unref(s);
		free(raw);
	}
	return 0;
}
