/* SPDX-License-Identifier: Apache-2.0 */
/* IAM policies in documentation; see iam_policy.h. */
#include "proserv/iam_policy.h"

#include "base/json.h"

const char *
iam_fault_what(enum iam_fault f)
{
	switch (f) {
	case IAM_OK:
		return NULL;
	case IAM_NO_JSON:
		return "is not valid JSON";
	case IAM_NO_OBJECT:
		return "is no JSON object";
	case IAM_VERSION:
		return "has a Version that IAM does not know";
	case IAM_STATEMENT:
		return "has no Statement, or one that is no object";
	case IAM_EFFECT:
		return "has a statement whose Effect is neither Allow nor Deny";
	case IAM_ACTION:
		return "has a statement without one of Action and NotAction";
	case IAM_RESOURCE:
		return "has a statement without Resource, NotResource or Principal";
	}
	return NULL;
}

static bool
is_texts(const json_t *v)
{
	if (json_is_string(v))
		return json_string_length(v) > 0;
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!json_is_string(json_array_get(v, i)) ||
		    json_string_length(json_array_get(v, i)) == 0)
			return false;
	return json_array_size(v) > 0;
}

/* "*", "**", "*:*": every action there is and will be. */
static bool
is_everything(const json_t *v)
{
	const char *s = json_string_value(v);

	return s != NULL && strspn(s, "*:") == strlen(s);
}

static bool
has_everything(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		if (is_everything(json_array_get(v, i)))
			return true;
	return is_everything(v);
}

static enum iam_fault
check_statement(const json_t *s, bool *all)
{
	const json_t *action = json_object_get(s, "Action");
	const json_t *not_action = json_object_get(s, "NotAction");
	const json_t *resource = json_object_get(s, "Resource");
	const json_t *not_resource = json_object_get(s, "NotResource");
	const json_t *principal = json_object_get(s, "Principal");
	const char *effect = json_string_value(json_object_get(s, "Effect"));

	if (!json_is_object(s))
		return IAM_STATEMENT;
	if (effect == NULL || (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0))
		return IAM_EFFECT;
	if ((action != NULL) == (not_action != NULL) ||
	    !is_texts(action != NULL ? action : not_action))
		return IAM_ACTION;
	if ((resource != NULL && !is_texts(resource)) ||
	    (not_resource != NULL && !is_texts(not_resource)) ||
	    (resource != NULL && not_resource != NULL) ||
	    (resource == NULL && not_resource == NULL && principal == NULL))
		return IAM_RESOURCE;
	*all |= strcmp(effect, "Allow") == 0 && (not_action != NULL || has_everything(action));
	return IAM_OK;
}

static enum iam_fault
check_document(const json_t *v, bool *all)
{
	const json_t *statement = json_object_get(v, "Statement");
	const json_t *version = json_object_get(v, "Version");
	const char *word = json_string_value(version);
	enum iam_fault f = IAM_OK;

	if (!json_is_object(v))
		return IAM_NO_OBJECT;
	if (version != NULL &&
	    (word == NULL || (strcmp(word, "2012-10-17") != 0 && strcmp(word, "2008-10-17") != 0)))
		return IAM_VERSION;
	if (!json_is_array(statement))
		return check_statement(statement, all);
	if (json_array_size(statement) == 0)
		return IAM_STATEMENT;
	for (size_t i = 0; i < json_array_size(statement) && f == IAM_OK; i++)
		f = check_statement(json_array_get(statement, i), all);
	return f;
}

enum iam_fault
iam_policy_check(struct str json, bool *ret_all)
{
	bool all = false;
	json_t *v = NULL;
	enum iam_fault f;

	if (json_read(json, &v, NULL) != SOUK_OK)
		return IAM_NO_JSON;
	f = check_document(v, &all);
	json_decref(v);
	if (f == IAM_OK)
		*ret_all = all;
	return f;
}
