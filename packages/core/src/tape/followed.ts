// Whether anyone follows what is computed: the tape, or an observer such as forward mode.

import { gradMode } from './mode.ts';
import { watching } from './observer.ts';

/**
 * Whether what is computed now may itself be differentiated or recorded. If not, a derivative rule may use numbers that the
 * forward rule kept in place of the ops that they come from.
 */
export function isFollowed(): boolean {
  return gradMode.enabled || watching.current !== null;
}
