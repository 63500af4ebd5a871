/** message: a bar across the page that says what is wrong, or what came of a button. */
import type { ComponentChildren } from 'preact';

export interface MessageProps {
  /** `trouble`: a person is needed now; `notice`: worth knowing; `done`: what came of something the viewer did. */
  readonly kind: 'trouble' | 'notice' | 'done';
  /** One word that says the same as the colour. */
  readonly word: string;
  readonly children: ComponentChildren;
  /** Buttons and links to what helps. */
  readonly actions?: ComponentChildren;
}

export function Message({ kind, word, children, actions }: MessageProps) {
  return (
    <div class={`message ${kind}`} role={kind === 'trouble' ? 'alert' : 'status'}>
      <strong>{word}</strong>
      <div class="says">{children}</div>
      {actions && <div class="actions">{actions}</div>}
    </div>
  );
}
