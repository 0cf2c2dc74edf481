//! Parts of a page that are large, and come after the first paint.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Trouble } from "./bits.js";

/** The component, once it is loaded; until then what stands in its place. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, Meanwhile: ComponentType<P>): ComponentType<P> {
  let found: ComponentType<P> | undefined;
  return function Later(props: P) {
    const [, redraw] = useState(0);
    const [isLost, setLost] = useState(false);
    useEffect(() => {
      if (found) return;
      load().then((component) => {
        found = component;
        redraw((count) => count + 1);
      }, () => setLost(true));
    }, []);
    if (isLost && !found) return <Trouble onRetry={() => location.reload()}>A part of this page could not be loaded.</Trouble>;
    const Shown = found ?? Meanwhile;
    return <Shown {...props} />;
  };
}
