/* SPDX-License-Identifier: MIT */
/*
 * style.h - how the page looks: a style sheet for light and dark, phones and desktops, fingers and keyboards.
 */
#ifndef PIPEPORT_GENERATOR_STYLE_H
#define PIPEPORT_GENERATOR_STYLE_H

#define STYLE_PIECES 3 /* No compiler need take a literal of more than 4,095 bytes. */

/* Static, one after the other. They hold none of the characters that XML would read: & and <. */
extern const char *const style_sheet[STYLE_PIECES];

#endif
