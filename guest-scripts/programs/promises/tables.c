#include "tables.h"

#include <string.h>

#include "give-up.h"

struct file files[MOST_FILES];
int file_count = 1;
struct name names[MOST_NAMES];
int name_count;
pthread_mutex_t tables = PTHREAD_MUTEX_INITIALIZER;

static int find_name(const char *text)
{
	for (int i = 0; i < name_count; i++)
		if (!strcmp(names[i].text, text))
			return i;
	return -1;
}

int known_name(const char *text)
{
	int index = find_name(text);

	if (index < 0 || names[index].file == 0)
		give_up(BAD_SCRIPT, "there is no %s", text);
	return index;
}

int add_name(const char *text)
{
	int index = find_name(text);

	if (strlen(text) >= sizeof names[0].text || strpbrk(text, "\"\\"))
		give_up(BAD_SCRIPT, "%s is no name", text);
	if (index >= 0)
		return index;
	if (name_count == MOST_NAMES)
		give_up(BAD_SCRIPT, "too many names");
	strcpy(names[name_count].text, text);
	return name_count++;
}

int is_in(const char *name, const char *directory)
{
	const char *slash = strrchr(name, '/');

	if (!strcmp(directory, "."))
		return !slash;
	return slash && strlen(directory) == (size_t)(slash - name) &&
	       !strncmp(name, directory, slash - name);
}
