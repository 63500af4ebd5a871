/** site: what every part of a page knows of the dashboard it is shown by. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export interface Site {
  /** What stands before every path: that under which a proxy shows us, or nothing. */
  readonly basePath: string;
  /** Whether nothing can be changed here: then no page offers to. */
  readonly readOnly: boolean;
  readonly version: string;
  /** Where the files of `assets/` are, by their names. */
  readonly assets: Readonly<Record<string, string>>;
}

export const SiteContext = createContext<Site | null>(null);

/** The site of the page that is being rendered. Throws outside of a page. */
export function useSite(): Site {
  const site = useContext(SiteContext);
  if (site === null) throw new Error('a part of a page was rendered outside of a page');
  return site;
}

/** A path of ours as a browser has to ask for it: `usePath()('/runs')`. */
export function usePath(): (path: string) => string {
  const { basePath } = useSite();
  return (path) => `${basePath}${path}`;
}
