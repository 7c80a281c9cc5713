/*-------------------------------------------------------------------------
 * fuzz_definition.c
 *		Any text is refused, or is a network that is written and read as the same.
 *
 * Shapes are inferred from what the text says goes in, else from an image.
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/unit/definition_walk.h"

#define MAX_MEMORY ((size_t) 64 << 20)	/* of an arena, whatever the text is */

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool claim, const char *what)
{
	if (!claim)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static void
infer_shapes(const AiDefinition *definition, AiArena *arena)
{
	const AiShape image = {.n_dims = 3, .dims = {28, 28, 1}};
	const AiShape *input = definition->has_input ? &definition->input : &image;
	AiLayer    *layers = ai_arena_alloc(arena, (size_t) definition->n_layers * sizeof(AiLayer));
	int			failed = 0;
	AiError		err;
	size_t		count;

	check(layers != NULL, "no memory");
	if (definition_walk(layers, &failed, definition, input, &err) != AI_OK)
	{
		check(err.message[0] != '\0', "an error without a message");
		return;
	}
	for (int i = 0; i < definition->n_layers; i++)
	{
		check(layers[i].n_weights <= AI_LAYER_MAX_WEIGHTS, "too many weights");
		(void) layer_count(&count, &layers[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AiDefinition definition;
	AiArena		arena;
	AiError		err;
	const char *first;
	const char *second;

	ai_arena_init(&arena, ai_malloc_host());
	err.message[0] = '\0';
	if (ai_definition_parse(&definition, &arena, ai_layer_types, (const char *) data, size,
							&err) == AI_OK)
	{
		infer_shapes(&definition, &arena);
		check(ai_definition_write(&first, &definition, &arena, &err) == AI_OK, "not written");
		check(ai_definition_parse(&definition, &arena, ai_layer_types, first, strlen(first),
								  &err) == AI_OK, err.message);
		check(ai_definition_write(&second, &definition, &arena, &err) == AI_OK, "not written");
		check(strcmp(first, second) == 0, "not the same");
	}
	else
		check(err.message[0] != '\0', "an error without a message");
	check(arena.total <= MAX_MEMORY, "too much memory");
	ai_arena_free(&arena);
	return 0;
}
